/**
 * The oracle of every fault: what an instance is, seen from outside. Two instances are the same if release, data, configuration,
 * secrets and settings are, and the server answers as the release it says. Generation, key, times, logs, journal and consent are not in
 * it: they have assertions of their own.
 */

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from './scenario.ts';
import { readJson } from './scenario.ts';

const parts = ['data', 'config', 'config.base', 'secrets'] as const;

export interface Looks {
  readonly current: string | null;
  readonly state: unknown;
  readonly parts: Readonly<Record<string, string>>;
  /** What the web server tells of itself, or why it does not. */
  readonly answers: string;
}

/** `answers` asks the running server; the data part leaves out what `volatile` matches. */
export const looksOf = async (
  world: Scenario,
  name: string,
  answers: () => Promise<string>,
  volatile = /^$/,
): Promise<Looks> => {
  const folder = world.path('instances', name);
  const current = join(folder, 'current');
  return {
    current: isLink(current) ? readlinkSync(current) : null,
    state: steadyState(join(folder, 'instance.json')),
    parts: Object.fromEntries(parts.map((part) => [part, digestOf(join(folder, part), volatile)])),
    answers: await answers(),
  };
};

/** What lies in an instance's folder, or beside it, that no finished change leaves behind. */
export const leftovers = (world: Scenario, name: string): string[] => {
  const folder = world.path('instances', name);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const staging = world.path('staging');
  const marks = world.path('locks');
  const isLeft = (entry: string): boolean =>
    entry.startsWith(`.${name}.consent-mark.`) || (entry === `${name}.consent-mark` && !existsSync(folder));
  return [
    ...halfMade(join(folder, 'recover')),
    ...names.filter((entry) => /\.next$|\.part$|\.tmp-|^telemetry/.test(entry)),
    ...['journal', 'notices'].flatMap((part) => temporaries(join(folder, part)).map((entry) => `${part}/${entry}`)),
    ...(isOpen(join(folder, 'journal/open.jsonl')) ? ['journal/open.jsonl'] : []),
    ...(existsSync(marks) ? readdirSync(marks) : []).filter(isLeft).map((entry) => `locks/${entry}`),
    ...(existsSync(staging) ? readdirSync(staging).map((entry) => `staging/${entry}`) : []),
  ];
};

/** Of the copy that recovers there is one, complete, and what starts it; or nothing. */
const halfMade = (recover: string): string[] => {
  if (!existsSync(recover)) return [];
  const copies = readdirSync(recover).filter((entry) => entry !== 'assent');
  const whole = copies.filter((entry) => /^[\w.-]+-[0-9a-f]{8}$/.test(entry)).slice(0, 1);
  const others = copies.filter((entry) => !whole.includes(entry));
  return [...others, ...(existsSync(join(recover, 'assent')) ? [] : ['assent missing'])].map(
    (one) => `recover: ${one}`,
  );
};

const temporaries = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((entry) => /\.part$|^reserve/.test(entry)) : [];

/** A closed journal that was not yet renamed is filed away by the next change. */
const isOpen = (journal: string): boolean =>
  existsSync(journal) && !readFileSync(journal, 'utf8').includes('"entry":"close"');

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

const steadyState = (file: string): unknown => {
  if (!existsSync(file)) return null;
  const { generation: _, key: __, changedAt: ___, installedAt: ____, previous, trial, ...steady } = readJson(file);
  return { ...steady, trial: trial?.minutes ?? null, previous: previous?.release ?? null };
};

const digestOf = (top: string, volatile: RegExp): string => {
  if (!existsSync(top)) return 'absent';
  const hash = createHash('sha256');
  const walk = (path: string, below: string): void => {
    for (const name of readdirSync(path).sort()) {
      const [at, inside] = [join(path, name), join(below, name)];
      const stat = lstatSync(at);
      if (volatile.test(inside)) continue;
      hash.update(`${inside} ${stat.mode} ${stat.uid}:${stat.gid}\n`);
      if (stat.isDirectory()) walk(at, inside);
      else hash.update(stat.isSymbolicLink() ? readlinkSync(at) : readFileSync(at));
    }
  };
  walk(top, '');
  return hash.digest('hex').slice(0, 16);
};
