/** What a running server has in its arguments, open and connected, read from /proc: here, or by a shell in a box. */
import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';

export interface Running {
  readonly words: readonly string[];
  /** Paths that it has open. */
  readonly files: readonly string[];
  /** Sockets of its own making, `LOCAL REMOTE` in the kernel's digits: not those that it listens at, nor those of its visitors. */
  readonly reaching: readonly string[];
}

/** Runs a script, and gives what it prints. */
export type Shell = (script: string) => string;

const here: Shell = (script) => spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stdout;

export const lookAt = (pid: number | string, shell: Shell = here): Running => {
  const at = `/proc/${pid}`;
  const [words = '', open = '', sockets = ''] = shell(
    `tr '\\0' '\\n' <${at}/cmdline; echo @; readlink ${at}/fd/*; echo @; cat ${at}/net/tcp ${at}/net/tcp6 ${at}/net/udp ${at}/net/udp6`,
  ).split('@\n');
  const files = linesOf(open);
  return {
    words: linesOf(words),
    files: files.filter((path) => path.startsWith('/')),
    reaching: reachingIn(linesOf(sockets), files),
  };
};

const listening = '0A';

/** Lines of /proc/net: number, local, remote, state, ..., inode as the tenth. */
const reachingIn = (lines: readonly string[], files: readonly string[]): string[] => {
  const own = lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => files.includes(`socket:[${fields[9]}]`))
    .map(([, local = '', remote = '', state = '']) => ({ local, remote, state }));
  const portOf = (end: string): string => end.split(':')[1] ?? '';
  const ports = own.filter(({ state }) => state === listening).map(({ local }) => portOf(local));
  return own.filter(({ local }) => !ports.includes(portOf(local))).map(({ local, remote }) => `${local} ${remote}`);
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Not loaded, nothing of it open, nobody reached. `folder` is the instance's. */
export const expectNothingOfTelemetry = ({ words, files, reaching }: Running, folder: string): void => {
  expect(words.length, 'it runs').toBeGreaterThan(0);
  expect(words.filter((word) => /^--import|count-preload/.test(word))).toEqual([]);
  expectNothingCounting({ files, reaching }, folder);
};

/** As after a withdrawal, until the server is started again: it may be loaded still, and does nothing. */
export const expectNothingCounting = (
  { files, reaching }: Pick<Running, 'files' | 'reaching'>,
  folder: string,
): void => {
  expect(files.filter((path) => /^\/(telemetry|reports)/.test(path.slice(folder.length)))).toEqual([]);
  expect(reaching).toEqual([]);
};

/** Loaded, and at work: it holds the folder of the counts. */
export const expectCounting = ({ words, files }: Running, folder: string): void => {
  expect(words.join(' ')).toContain('count-preload');
  expect(files).toContain(`${folder}/telemetry/counts`);
};
