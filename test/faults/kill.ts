/**
 * Killed right before every system call of a change's main thread that changes anything below the home; and while its child copies data (kill/copying.ts). Afterwards, with at most one `recover`, everything is old or new (truth.ts).
 *
 * Which calls there are is counted in a run of its own. A run may have a few more or less of those that do not matter (waking a thread), so a case is the number of the call, and
 * what it was is printed where it fails.
 */

import assert from 'node:assert/strict';
import type { Attack } from './attack.ts';
import { chanceOf } from './chance.ts';
import { type Change, callsOf, changesFor, deal, onBase, type Ready, withStages } from './changes.ts';
import { killWhileCopying } from './kill/copying.ts';
import { type CallAt, cannotTrace, traced } from './strace.ts';
import { generationOf, type Side, settled } from './truth.ts';

export const kill: Attack = {
  name: 'kill',
  title:
    'kill -9 before each system call of its main thread by which a change changes anything, and while data is copied',
  atLeast: 1000,
  cannot: cannotTrace,
  run: async (tally, options) => {
    for (const [kind, change] of changesFor('kill', tally, options)) {
      await withStages(change, options, async (ready) => {
        const all = await callsOf(change, ready[0]);
        // Where one is asked for it is played, whichever the day's choice is.
        const isAll = options.full || !tally.wants('any');
        const chosen = isAll ? all : chanceOf(options.seed, `kill ${kind}`).some(all, quickShare);
        tally.note(`${kind} ${all.length}`);
        await deal(ready, chosen, async (one, at) => {
          await tally.check(`${kind}:${at.call}:${at.nth}`, (missed) =>
            onBase(one, () => killedAt(change, one, at, missed)),
          );
        });
      });
    }
    await killWhileCopying(tally, options);
  },
};

/** Cases of each change in the quick tier. */
const quickShare = 4;

/** A run that has ended before it came to that call is missed, and has to have done what it said. */
export const killedAt = async (
  change: Change,
  { stage, sides }: Ready,
  at: CallAt,
  missed: () => void,
): Promise<Side> => {
  const before = generationOf(stage);
  const run = await traced(stage.world, change.args(stage), { what: 'signal=SIGKILL', at });
  assert.ok(run.signal === 'SIGKILL' || run.exit === 0, `exit ${run.exit}: ${run.stderr}`);
  const isKilled = run.signal === 'SIGKILL';
  if (!isKilled) missed();
  try {
    const side = await settled(stage, sides, before);
    if (!isKilled) assert.equal(side, 'new', 'it had said success');
    return side;
  } catch (error) {
    throw new Error(`killed before ${run.calls.at(-1)}`, { cause: error });
  }
};
