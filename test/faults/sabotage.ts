/**
 * Sabotage: the program with a deliberate fault in it (sabotage/faults.ts) is attacked in the very place, and the attack has to fail, with what the fault leads to. It proves that the attacks bite. What catches a fault is played
 * on the whole program first, where it has to hold.
 */

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Attack } from './attack.ts';
import { chanceOf } from './chance.ts';
import { callsOf, changes, type Ready, withStages } from './changes.ts';
import { failing } from './errors.ts';
import { killedAt } from './kill.ts';
import { type Sabotage, sabotages } from './sabotage/faults.ts';
import { openWorkshop, type Workshop } from './sabotage/workshop.ts';
import { type CallMade, cannotTrace } from './strace.ts';

export const sabotage: Attack = {
  name: 'sabotage',
  title: 'faults of our own making, each of which has to be caught',
  atLeast: 12,
  cannot: cannotTrace,
  run: async (tally, options) => {
    const chosen = options.full ? sabotages : chanceOf(options.seed, 'sabotage').some(sabotages, 1);
    const wanted = chosen.filter(({ name }) => tally.wants(idOf(name)));
    const workshop = openWorkshop();
    try {
      await withStages(changes.upgrade, { ...options, jobs: 1 }, async ([ready]) => {
        const whole = await callsOf(changes.upgrade, ready);
        for (const one of wanted) await tally.check(idOf(one.name), () => mustBeCaught(workshop, ready, whole, one));
      });
    } finally {
      workshop.close();
    }
    tally.note(`${wanted.length} of ${sabotages.length} made`);
  },
};

const idOf = (name: string): string => name.replaceAll(' ', '-');

const mustBeCaught = async (
  workshop: Workshop,
  ready: Ready,
  whole: readonly CallMade[],
  one: Sabotage,
): Promise<void> => {
  const { caught } = one;
  if ('test' in caught) {
    assert.equal(workshop.failureOf(caught.test), undefined, `${caught.test} passes with the source as it is`);
    return workshop.sabotaged(one, async () => isSeen(one, workshop.failureOf(caught.test)));
  }
  await attacked(ready, one, whole);
  await ready.stage.layBack('base');
  await workshop.sabotaged(one, () => workshop.asProgram(() => attackedInVain(ready, one)));
};

/** What is prepared for the attack, and the stage laid back behind it, has to hold with the fault in the program, too. */
const attackedInVain = async (ready: Ready, one: Sabotage): Promise<void> => {
  const calls = 'at' in one.caught ? await callsNow(ready) : [];
  const failure = await failureOf(() => attacked(ready, one, calls));
  await ready.stage.layBack('base');
  isSeen(one, failure === undefined ? undefined : inspect(failure, { depth: 5 }));
};

/** Something else that fails has noticed nothing. */
const isSeen = ({ name, caught }: Sabotage, failure: string | undefined): void => {
  assert.ok(failure !== undefined, `nothing was seen of ${name}`);
  assert.match(failure, caught.seen, `something else than ${name}`);
};

/** What is played on the stage, by whichever program is there; it leaves the stage as it comes. */
const attacked = async (ready: Ready, { caught, name }: Sabotage, calls: readonly CallMade[]): Promise<void> => {
  if ('test' in caught) return;
  if ('look' in caught) return caught.look(ready.stage);
  const at = calls.find(caught.at);
  if (at === undefined) throw new Error(`there is no call to attack at: ${name}`);
  if (caught.error === undefined) await killedAt(changes.upgrade, ready, at, missed);
  else await failing(changes.upgrade, ready, { at, error: caught.error, onwards: false }, missed);
};

/** What is meant to be noticed has to be done first. */
const missed = (): void => {
  throw new Error('nothing was done to the program');
};

/** A fault may change which calls there are; and the first change that a program makes in a home puts its copy there. */
const callsNow = async (ready: Ready): Promise<CallMade[]> => {
  await callsOf(changes.upgrade, ready);
  return callsOf(changes.upgrade, ready);
};

const failureOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
};
