/**
 * Writing values into unit files, by systemd's own rules (systemd.syntax, systemd.service, systemd.exec).
 *
 * Three readings of a value have to be told apart: command lines (words, C escapes, %, $), other lists of words (words, %),
 * and plain paths (the rest of the line as it is, %). In all of them % begins a specifier; only in command lines is $ a variable.
 * What can't be written in a reading (a line break in a path) is an error, never something else than was meant.
 */

const control = /[\p{Cc}\u2028\u2029]/u;

/** One line of words for ExecStart= and its like; the first is the program, in which $ stands for itself. */
export const commandLine = ([program = '', ...rest]: readonly string[]): string =>
  [quoted(program), ...rest.map((word) => quoted(word.replaceAll('$', '$$$$')))].join(' ');

/** `"KEY=value"` for Environment=. */
export const assignment = (key: string, value: string): string => quoted(`${key}=${value}`);

/** A word of a list of paths (ReadWritePaths=). `ifThere`: the path may be missing; without it the unit could not start then. */
export const listedPath = (path: string, { ifThere = false } = {}): string => {
  refuseControl(path);
  return `"${ifThere ? '-' : ''}${percent(path).replace(/[\\"]/g, '\\$&')}"`;
};

/** A path that is the rest of its line (WorkingDirectory=, EnvironmentFile=). */
export const plainPath = (path: string): string => {
  refuseControl(path);
  if (path !== path.trim() || path.endsWith('\\'))
    throw new Error(`a unit file can't name this path: ${JSON.stringify(path)}`);
  return percent(path);
};

/** Text for people (Description=). */
export const plainText = (text: string): string => percent(text.replace(/\s+/g, ' ').replace(/\\$/, '').trim());

/** In double quotes, with C escapes for what may not stand there as it is. */
const quoted = (word: string): string => `"${percent(word).replace(/[\\"]|[\p{Cc}]/gu, escaped)}"`;

const escaped = (char: string): string => {
  if (char === '\\' || char === '"') return `\\${char}`;
  const code = char.codePointAt(0) ?? 0;
  if (code === 0) throw new Error('a unit file can hold no zero byte');
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** What stands between the quotes of a word, as it was before it was written so. */
export const unquoted = (text: string): string =>
  text
    .replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/g, (_, byte?: string, point?: string, char?: string) =>
      char === undefined ? String.fromCodePoint(Number.parseInt(byte ?? point ?? '', 16)) : char,
    )
    .replaceAll('%%', '%');

const percent = (text: string): string => text.replaceAll('%', '%%');

const refuseControl = (path: string): void => {
  if (control.test(path)) throw new Error(`a unit file can't name this path: ${JSON.stringify(path)}`);
};
