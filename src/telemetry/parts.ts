/**
 * The parts that lie in `telemetry/counts`, read as what they are: files of an account that nobody has to trust. What is not a part of
 * this very notice, in a file of its day's name and of that account, is none and is left where it lies.
 *
 * The names, dimensions and smallest group are the notice's: an unknown counter or a dimension that was not declared is dropped, and a part with
 * a number below the smallest group is refused, since so few requests can't have so many clients behind them.
 */

import { join } from 'node:path';
import type { Notice } from '../consent/notice.ts';
import { noticeId } from '../consent/notice.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import { listForeign, readForeign } from '../system/foreign-files.ts';
import { type Part, type PartCounter, parsePart, partLimit } from './part.ts';

export interface StoredPart extends Part {
  /** Name of its file in `counts/`. */
  readonly file: string;
}

/** More files than this in one folder are nothing that counting could have made. */
const mostFiles = 10_000;

/** All parts for this notice, by day. `uid`: see `partsOwner`. */
export const readParts = (paths: InstancePaths, notice: Notice, uid: number): StoredPart[] =>
  listForeign(paths.counts, mostFiles).flatMap((file) => {
    const day = dayOfFile(file);
    if (day === undefined) return [];
    const bytes = readForeign(join(paths.counts, file), { uid, most: partLimit });
    const part = bytes && asPromised(bytes, notice);
    return part?.day === day ? [{ ...part, file }] : [];
  });

/** Whose files parts are: the server's account, or the owner of the instance's folder where there is none. */
export const partsOwner = (paths: InstancePaths, { account }: Pick<InstanceState, 'account'>): number =>
  account?.uid ?? statIfThere(paths.folder)?.uid ?? -1;

/** The day that a part's file is named for; undefined where it is no name of a part. */
export const dayOfFile = (file: string): string | undefined =>
  /^(\d{4}-\d\d-\d\d)\.[0-9a-f]{16}\.json$/.exec(file)?.[1];

const asPromised = (bytes: Uint8Array, notice: Notice): Part | undefined => {
  const known = notice.counters.map(({ name }) => name);
  const part = parsePart(Buffer.from(bytes).toString('utf8'), known);
  if (part === undefined || part.noticeId !== noticeId(notice)) return undefined;
  const names = part.counters.map(({ name }) => name);
  if (new Set(names).size !== names.length) return undefined;
  const counters = part.counters.map((counter) => declared(counter, notice));
  return counters.every((counter) => numbersOf(counter).every((count) => count >= notice.smallestGroup))
    ? { ...part, counters }
    : undefined;
};

const declared = (counter: PartCounter, { dimensions }: Notice): PartCounter => ({
  ...counter,
  browser: dimensions.includes('browser') ? counter.browser : {},
  hour: dimensions.includes('hour') ? counter.hour : {},
});

/** Every number that a part publishes of a counter. */
export const numbersOf = ({ total, browser, hour }: PartCounter): number[] => [
  ...(total === null ? [] : [total]),
  ...Object.values(browser),
  ...Object.values(hour),
];
