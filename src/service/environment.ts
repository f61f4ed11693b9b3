/**
 * The environment that a server gets: what its spec says and the lines of its environment file, nothing of ours. What a shell,
 * a service manager or an editor left in our own environment (NOTIFY_SOCKET, NODE_OPTIONS) reaches no server; a foreground run passes on what it means to.
 *
 * The file is read as systemd reads an EnvironmentFile, so that one file means the same under every supervisor: comments begin
 * with # or ;, values may stand in single or double quotes, a backslash keeps the next character.
 */

import { Failure } from '../errors.ts';
import { readIfThere } from '../system/files.ts';
import type { ServiceSpec } from './spec.ts';

/** The whole environment of the server. `extra` is what a foreground run passes on by choice (the time zone of a container). */
export const environmentOfService = (
  spec: ServiceSpec,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  ...extra,
  ...spec.environment,
  ...fromFile(spec.environmentFile),
});

const fromFile = (path: string | null): Record<string, string> => {
  if (path === null) return {};
  const text = readIfThere(path);
  if (text === undefined) {
    throw new Failure(
      'refused-check',
      `The server's environment file ${path} is missing.`,
      'Put it back, or run: assent reinstall',
    );
  }
  return parseEnvironmentFile(text);
};

/** Pairs of an environment file; lines that are none are passed over, as systemd does. */
export const parseEnvironmentFile = (text: string): Record<string, string> => {
  const pairs: Record<string, string> = {};
  for (let at = 0; at < text.length; ) {
    const key = /[^\S\n]*([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=/y;
    key.lastIndex = at;
    const name = key.exec(text)?.[1];
    if (name === undefined) {
      at = endOfLine(text, at);
    } else {
      const { value, end } = readValue(text, key.lastIndex);
      pairs[name] = value;
      at = end;
    }
  }
  return pairs;
};

const endOfLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
};

/** One value, from behind the equals sign to the end of its line; quoted parts may hold line ends. */
const readValue = (text: string, from: number): { value: string; end: number } => {
  let value = '';
  let quote = '';
  let bare = false;
  let kept = 0;
  let at = from;
  for (; at < text.length && !(text[at] === '\n' && quote === ''); at += 1) {
    const char = text[at] as string;
    if (char === quote) quote = '';
    else if (char === '\\' && quote !== "'") {
      at += 1;
      value += escaped(text[at] ?? '', quote === '"');
      bare ||= quote === '';
    } else if (quote !== '') value += char;
    else if (!bare && (char === '"' || char === "'")) quote = char;
    else if (bare || char.trim() !== '') {
      bare = true;
      value += char;
    }
    if (quote !== '' || char.trim() !== '') kept = value.length;
  }
  return { value: value.slice(0, kept), end: at + 1 };
};

/** What a backslash and this character mean: nothing at a line end; in double quotes it is kept before most characters. */
const escaped = (char: string, quoted: boolean): string => {
  if (char === '\n') return '';
  return quoted && !'"\\`$'.includes(char) ? `\\${char}` : char;
};
