/**
 * What is mounted where, as this process sees it. Bind mounts of one filesystem have the same device number above and below,
 * so that only this list tells where a tree ends.
 */
import { readFileSync } from 'node:fs';

export interface Mount {
  /** Absolute path. Later ones hide earlier ones of the same path. */
  readonly point: string;
  readonly type: string;
  /** Of this mount, not of its filesystem: `rw`, `nosuid`, `relatime`. */
  readonly flags: readonly string[];
}

/** Source: /proc/self/mountinfo, in its order. */
export const listMounts = (): Mount[] =>
  readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseMount);

/** The mount point that the path lies on: the longest one that is the path or above it. The path is absolute, without links. */
export const mountPointOf = (path: string, mounts: readonly Mount[]): string => {
  const above = mounts.map((mount) => mount.point).filter((point) => isAtOrAbove(point, path));
  return above.reduce((longest, point) => (point.length > longest.length ? point : longest), '/');
};

const isAtOrAbove = (point: string, path: string): boolean =>
  point === '/' || path === point || path.startsWith(`${point}/`);

// 36 35 98:0 /root /mount\040point rw,noatime master:1 - ext4 /dev/sda1 rw
const parseMount = (line: string): Mount => {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  return {
    point: unescaped(fields[4] ?? ''),
    type: fields[separator + 1] ?? '',
    flags: (fields[5] ?? '').split(','),
  };
};

/** White space and backslashes are octal; the bytes are UTF-8. */
const unescaped = (text: string): string => {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
};
