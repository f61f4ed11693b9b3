/**
 * A real terminal for the real command: a pseudo terminal of 80 by 24 (or what is asked for), keys that are sent, and a screen that is
 * waited for. What is read is everything that was ever written, without colours and cursor movements.
 */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from 'node-pty';
import { onTestFinished } from 'vitest';
import { programCopy } from './program-copy.ts';
import type { Scenario } from './scenario.ts';
import { nobody } from './seed.ts';

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface TypedTerminal {
  readonly pid: number;
  /** Sends keys as they are typed; Enter is `\r`. */
  type(keys: string): void;
  /** Waits until the text has been written, after what an earlier `see` has found. */
  see(text: string, timeoutMs?: number): Promise<void>;
  /** Everything written so far. */
  text(): string;
  raw(): string;
  /** The exit code. */
  ended(timeoutMs?: number): Promise<number>;
  /** Closes the terminal, as closing its window does. */
  close(): void;
}

export const terminal = (world: Scenario, args: readonly string[], options: TerminalOptions = {}): TypedTerminal => {
  const pty = spawn(join(programCopy(), 'bin/assent'), [...args], {
    name: 'xterm-256color',
    cols: options.columns ?? 80,
    rows: options.rows ?? 24,
    cwd: world.folder,
    env: { ...world.env, TERM: 'xterm-256color', ...options.env },
    ...nobody,
  });
  let written = '';
  let from = 0;
  let exit: number | undefined;
  pty.onData((data) => {
    written += data;
  });
  pty.onExit(({ exitCode }) => {
    exit = exitCode;
  });
  onTestFinished(() => {
    if (exit === undefined) pty.kill('SIGKILL');
  });
  const text = () => stripVTControlCharacters(written);
  const until = async (what: string, holds: () => boolean, timeoutMs: number) => {
    const end = Date.now() + timeoutMs;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`Waited in vain for ${what}. On the screen:\n${text()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    pid: pty.pid,
    type: (keys) => pty.write(keys),
    see: async (wanted, timeoutMs = 20_000) => {
      await until(`"${wanted}"`, () => text().indexOf(wanted, from) >= 0, timeoutMs);
      from = text().indexOf(wanted, from) + wanted.length;
    },
    text,
    raw: () => written,
    ended: async (timeoutMs = 20_000) => {
      await until('the end', () => exit !== undefined, timeoutMs);
      return exit ?? -1;
    },
    close: () => pty.kill('SIGHUP'),
  };
};
