/** What scenarios do again and again: a change that has to succeed or to be refused, and looks at what is there afterwards. */

import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Document, Scenario } from './scenario.ts';
import { nobody } from './seed.ts';

/** `--set` for each. */
export const set = (settings: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

/** Makes a change that has to succeed, telemetry off unless the arguments say otherwise; returns the JSON document. */
export const change = async (world: Scenario, ...args: string[]): Promise<Document> => {
  const { exit, document, stderr } = await world.json([...args, '--yes', ...silent(args)]);
  expect(document, `${args.join(' ')}: ${stderr}`).toMatchObject({ schema: 'assent/1', ok: true });
  expect(exit).toBe(0);
  expect(document.consent?.collecting ?? false).toBe(false);
  return document;
};

/** Makes a change that must not succeed: with this exit code, and an error of this code that says what to do. */
export const refused = async (world: Scenario, exit: number, code: string, ...args: string[]): Promise<Document> => {
  const run = await world.json([...args, '--yes', ...silent(args)]);
  expect(run.document, `${args.join(' ')}: ${run.stderr}`).toMatchObject({ ok: false, error: { code, exit } });
  expect(run.exit).toBe(exit);
  expect(run.document.error.advice).not.toBe('');
  return run.document;
};

const silent = (args: readonly string[]): string[] =>
  args.some((arg) => arg.startsWith('--telemetry')) ? [] : ['--telemetry=off'];

/** A healthy instance of that version, as `status` sees it. */
export const expectHealthy = async (world: Scenario, name: string, version: string): Promise<Document> => {
  const { exit, document } = await world.json(['status', name]);
  expect(document.instance).toMatchObject({ name, version, state: 'running', health: 'healthy' });
  expect(exit).toBe(0);
  return document.instance;
};

/**
 * Every path below a folder with its size, mode, time and content: equal digests mean that nothing was touched. `except` are names at the top; `times`
 * of files alone leave open whether something was made in a folder and removed again.
 */
export const touchedDigest = (
  top: string,
  except: readonly string[] = [],
  { times = 'all' }: { times?: 'all' | 'files' } = {},
): string => {
  const hash = createHash('sha256');
  const walk = (folder: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = join(folder, name);
      const stat = lstatSync(path);
      const { mode, size, mtimeMs, uid, ino } = stat;
      const isTold = times === 'all' || !stat.isDirectory();
      hash.update(`${path} ${mode} ${isTold ? `${size} ${mtimeMs}` : ''} ${uid} ${ino}\n`);
      if (stat.isDirectory()) walk(path, readdirSync(path).sort());
      else hash.update(stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
    }
  };
  walk(
    top,
    readdirSync(top)
      .sort()
      .filter((name) => !except.includes(name)),
  );
  return hash.digest('hex');
};

/** All paths below a folder, relative and sorted. */
export const pathsBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

/** Writes a file, and the folders down to it from `base`, as the user who runs the command. */
export const putFile = (path: string, content: string | Uint8Array, base: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  for (let at = path; nobody && at.startsWith(base); at = dirname(at)) chownSync(at, nobody.uid, nobody.gid);
};

/** Whether a web server answers at that port, whatever it says. */
export const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    () => true,
    () => false,
  );
