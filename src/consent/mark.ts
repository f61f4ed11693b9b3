/**
 * The mark, `HOME/locks/NAME.consent-mark`: the line of the log that decided last, and the highest generation so far.
 *
 * Record and log lie in the instance's folder, and a backup of it brings both back as they were, each fitting the other. The mark lies outside, as the locks do, and does not come
 * back with them: a log that does not go on behind the marked line is one of before. It can only subtract. No mark says nothing; one that can't be read is a doubt, and so a no.
 *
 * Written behind the log, never before: what a crash leaves is a mark that lags, and a log that goes on behind it is good.
 */

import { basename, dirname } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { listTemporaries, readIfThere, removeFiles, writeDurably } from '../system/files.ts';
import { asSha256 } from '../values.ts';
import type { LogReading } from './log-chain.ts';
import { isCount } from './log-lines.ts';
import type { ConsentMark } from './resolver.ts';
import type { Sharing } from './sharing.ts';

export type FoundMark = ConsentMark | 'missing' | 'mark-unreadable';

/** The mark that a file's text holds. */
export const parseMark = (text: string): ConsentMark | 'mark-unreadable' => {
  try {
    const { format, generation, line, hash } = JSON.parse(text) as Record<string, unknown>;
    const fits = format === 1 && isCount(generation) && isCount(line) && asSha256(String(hash)) !== undefined;
    return fits ? { format, generation, line, hash: String(hash) } : 'mark-unreadable';
  } catch {
    return 'mark-unreadable';
  }
};

/** For whoever is about to write; gather.ts, which answers, also looks at whose the file is. */
export const readMark = (paths: InstancePaths): FoundMark => {
  try {
    const text = readIfThere(paths.consentMark);
    return text === undefined ? 'missing' : parseMark(text);
  } catch {
    return 'mark-unreadable';
  }
};

/** Brings the mark to the line that stands: where none does, there is none to lose. Its generation never goes back. Throws the system's error. */
export const raiseMark = (paths: InstancePaths, log: LogReading, { mode, owner }: Sharing, begun = 0): void => {
  if (log.standing === null) return;
  const { n: line, hash } = log.standing;
  const found = readMark(paths);
  const marked = typeof found === 'object' ? found : undefined;
  const generation = Math.max(marked?.generation ?? 0, log.generation?.generation ?? 0, begun);
  if (marked?.generation === generation && marked.hash === hash && marked.line === line) return;
  const mark: ConsentMark = { format: 1, generation, line, hash };
  writeDurably(paths.consentMark, `${JSON.stringify(mark)}\n`, { mode, ...(owner ? { owner } : {}) });
};

/** 0 where there is no mark to go by. */
export const markedGeneration = (paths: InstancePaths): number => {
  const mark = readMark(paths);
  return typeof mark === 'object' ? mark.generation : 0;
};

/** With the instance, which is gone for good, and what killed writes of the mark have left. */
export const removeMark = (paths: InstancePaths): void => removeFiles([paths.consentMark, ...markTemporaries(paths)]);

export const markTemporaries = ({ consentMark }: InstancePaths): string[] =>
  listTemporaries(dirname(consentMark)).filter((path) => basename(path).startsWith(`.${basename(consentMark)}.`));
