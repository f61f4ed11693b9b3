/**
 * A system call of a change fails as a full, broken, read-only or forbidden disk and a process without descriptors have it fail: once, or from then on. The change ends with a documented
 * exit code, which tells the truth (success only if everything is durable, 3 and 5 only if nothing has changed, 6 only if everything is back), and then at most one `recover` brings old or new.
 *
 * Where every write fails from then on, so does the one by which Node wakes its own threads, and it aborts: that is a kill like others, and has its truth afterwards too.
 */

import assert from 'node:assert/strict';
import type { Attack } from './attack.ts';
import { type Chance, chanceOf } from './chance.ts';
import { type Change, callsOf, changesFor, deal, onBase, type Ready, withStages } from './changes.ts';
import { type CallAt, cannotTrace, isUntold, type Traced, toSomebody, traced } from './strace.ts';
import { butFor, generationOf, isOpen, type Side, settled } from './truth.ts';

export const errors: Attack = {
  name: 'errors',
  title: 'ENOSPC, EIO, EROFS, EACCES, EDQUOT, EMFILE from a system call of a change, once and from then on',
  atLeast: 1500,
  cannot: cannotTrace,
  run: async (tally, options) => {
    for (const [kind, change] of changesFor('errors', tally, options)) {
      await withStages(change, options, async (ready) => {
        const all = (await callsOf(change, ready[0], opening)).filter(({ line }) => !toSomebody.test(line));
        const chance = chanceOf(options.seed, `errors ${kind}`);
        const opens = all.filter(({ call }) => opening.includes(call));
        const changing = all.filter(({ call }) => !opening.includes(call));
        // Where one is asked for it is played, whichever the day's choice is.
        const isAll = options.full || !tally.wants('any');
        const chosen = isAll
          ? [...changing, ...chance.some(opens, fullOpens)]
          : [...chance.some(changing, quickShare), ...chance.some(opens, 1)];
        await deal(ready, chosen, async (one, at) => {
          const fault = faultOf(chanceOf(options.seed, `errors ${kind}:${at.call}:${at.nth}`), at);
          const id = `${kind}:${at.call}:${at.nth}:${fault.error}:${fault.onwards ? 'on' : 'once'}`;
          await tally.check(id, (missed) => onBase(one, () => failing(change, one, fault, missed)));
        });
      });
    }
  },
};

const quickShare = 3;
const fullOpens = 30;

/** Calls that take a descriptor. */
const opening: readonly string[] = ['openat', 'socket', 'pipe2'];
const naming = /^(rename|unlink|mkdir|rmdir|link|symlink|chmod|chown|lchown|fchmod|fchown|utimensat)/;
const filling = /write|rename|mkdir|link|sync|truncate|fallocate|copy_file_range|sendfile/;

export interface Fault {
  readonly at: CallAt;
  readonly error: string;
  readonly onwards: boolean;
}

/** What such a call can fail with. */
const faultOf = (chance: Chance, at: CallAt): Fault => {
  const possible = opening.includes(at.call)
    ? ['EMFILE', 'EIO', 'EACCES']
    : [
        'EIO',
        ...(naming.test(at.call) ? ['EROFS', 'EACCES'] : []),
        ...(filling.test(at.call) ? ['ENOSPC', 'EDQUOT'] : []),
      ];
  return { at, error: chance.one(possible), onwards: chance.whole(2) === 1 };
};

export const failing = async (
  change: Change,
  { stage, sides }: Ready,
  { at, error, onwards }: Fault,
  missed: () => void,
): Promise<Side> => {
  const before = generationOf(stage);
  const others = opening.includes(at.call) ? opening : [];
  const run = await traced(stage.world, change.args(stage), { what: `error=${error}`, at, onwards }, {}, others);
  const failed = run.calls.filter((line) => line.endsWith('(INJECTED)'));
  const told = `exit ${run.exit ?? run.signal} after ${failed[0] ?? 'no call'}\n${run.stderr}`;
  if (failed.length === 0) missed();
  try {
    if (failed.length === 0) assert.equal(run.exit, 0, 'nothing was done to it');
    const open = isOpen(stage);
    const truth = truthOf(run, open);
    assert.ok(truth !== undefined, 'an exit code that is documented and true');
    if (run.exit === 0) assert.deepEqual(failed.filter(mustLast(run)), [], 'no success after a failed fsync');
    const side = await settled(stage, butFor(sides, 'unwritten'), before);
    assert.ok(truth.includes(side), `what the exit code says, and not the ${side} side`);
    return side;
  } catch (cause) {
    throw new Error(told, { cause });
  }
};

/** The sides that the command's end allows; undefined where it must not end like that. */
const truthOf = ({ exit, signal, calls }: Traced, open: boolean): readonly Side[] | undefined => {
  if ((signal === 'SIGKILL' || signal === 'SIGABRT' || exit === 1) && calls.some(isUntold)) return ['old', 'new'];
  const truths: Readonly<Record<number, readonly Side[]>> = open
    ? { 7: ['old'], 8: ['old', 'new'] }
    : { 0: ['new'], 3: ['old'], 5: ['old'], 6: ['old'], 7: ['old'], 8: ['new'] };
  return truths[exit ?? -1];
};

/**
 * What the success speaks of. Consent that could not be written is told, and a no, and so is what had been counted and can't be erased (and the folder's sync behind either); who holds a lock is a word for people;
 * and what is tidied away behind the end of the change (the journal's last name and its sync; of a purge, that the instance's folder is gone) has a warning of its own.
 */
const mustLast = ({ calls }: Traced): ((line: string) => boolean) => {
  const closing = calls.findLastIndex((line) =>
    /^rename.*\/journal\/open\.jsonl"|^fsync\(\d+<[^>]*\/instances>/.test(line),
  );
  const counted = closing === -1 ? calls : calls.slice(0, closing + 2);
  const ofConsent = (line: string): boolean => /\/(consent\.|locks\/|telemetry)/.test(line);
  const last = new Set(counted.filter((line, at) => !ofConsent(line) && !ofConsent(counted[at - 1] ?? '')));
  return (line) => last.has(line) && /^f(data)?sync/.test(line);
};
