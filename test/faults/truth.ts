/**
 * What has to hold after any fault and at most one `recover`: the instance is exactly OLD or NEW (release, data, configuration, secrets, settings, the server that
 * answers), nothing temporary is left, a second `recover` changes nothing, every exit code is a documented one, the generation never went back, and nobody counts without a yes that is in force
 * (consents.ts).
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { instancePaths } from '../../src/instance/paths.ts';
import { unfinished } from '../../src/instance/unfinished.ts';
import type { InstanceName } from '../../src/values.ts';
import { type Looks, leftovers } from '../support/oracle.ts';
import { readJson } from '../support/scenario.ts';
import { type Consents, consentHolds, consentOf, consentSeen, saidIn, seenIn } from './consents.ts';
import { name, type Stage } from './stage.ts';

export interface Sides {
  readonly old: Looks;
  readonly fresh: Looks;
  readonly consent: Consents;
}

export type Side = 'old' | 'new';

/** Plays a change from `from` once, and what it looks like before and after. Leaves the new side. */
export const sidesOf = async (stage: Stage, from: string, args: readonly string[]): Promise<Sides> => {
  await stage.layBack(from);
  const old = await sideOf(stage);
  await stage.fine(...args);
  const sides = between(old, await sideOf(stage), args);
  assert.notDeepEqual(sides.fresh, sides.old, 'a change that changes nothing tells nothing');
  return sides;
};

interface Seen {
  readonly looks: Looks;
  readonly consent: Consents['old'];
}

/** What is compared of an instance, as it is now. */
export const sideOf = async (stage: Stage): Promise<Seen> => ({
  looks: await stage.looks(),
  consent: await consentSeen(stage),
});

export const between = (old: Seen, fresh: Seen, args: readonly string[]): Sides => ({
  old: old.looks,
  fresh: fresh.looks,
  consent: { old: old.consent, fresh: fresh.consent, said: saidIn(args) },
});

/** The same where more may have been said or left unsaid about telemetry than the change says. */
export const butFor = (sides: Sides, but: NonNullable<Consents['but']>): Sides => ({
  ...sides,
  consent: { ...sides.consent, but },
});

/** Whether a change is open, as the program itself would read it. */
export const isOpen = (stage: Stage): boolean =>
  unfinished(instancePaths(stage.world.home, name as InstanceName)) !== null;

/** Types one `recover`, whatever is open, and says which side everything is on. Throws where anything is not as it has to be. */
export const settled = async (
  stage: Stage,
  sides: Sides,
  before = generationOf(stage),
  ...how: string[]
): Promise<Side> => {
  const open = isOpen(stage);
  if (open) {
    const consent = await consentOf(stage);
    assert.equal(consent.collecting, false, 'nobody collects while a change is open');
    assert.equal(consent.reason, 'change-unfinished');
  }
  const { exit, document, stderr } = await stage.world.json(['recover', name, ...how]);
  // Where nothing is installed (any more), nothing has that name.
  assert.ok(exit === 0 || (exit === 10 && !open), `recover: exit ${exit} ${stderr}`);
  if (open) assert.equal(document.outcome, 'recovered');
  const side = await holds(stage, sides, before, open);
  if (open && existsSync(stage.place('instance.json')))
    assert.ok(generationOf(stage) > before, 'a change that has begun raises the generation, whatever becomes of it');
  return side;
};

/** The same where nothing is open any more. `hasBegun`: a change is known to have begun, whatever its generation says. */
export const holds = async (
  stage: Stage,
  { old, fresh, consent }: Sides,
  before: number,
  hasBegun = false,
): Promise<Side> => {
  const now = await stage.looks();
  const side = JSON.stringify(now) === JSON.stringify(old) ? 'old' : 'new';
  assert.deepEqual(now, side === 'old' ? old : fresh);
  // What is counted under a yes has a folder, which is held against that yes below.
  const left = leftovers(stage.world, name).filter((entry) => entry !== 'telemetry');
  assert.deepEqual(left, []);
  const { exit, document, stderr } = await stage.world.json(['recover', name]);
  assert.equal(exit, now.current === null ? 10 : 0, `a second recover: exit ${exit} ${stderr}`);
  assert.notEqual(document.changed, true, 'a second recover changes nothing');
  assert.deepEqual(await stage.looks(), now, 'a second recover changes nothing');
  const stands = seenIn(document.consent);
  const begun = hasBegun || generationOf(stage) > before || side === 'new';
  consentHolds(stands, consent, side, begun);
  const counts = existsSync(stage.place('telemetry'));
  const mayLack = consent.but === 'unwritten' && !counts;
  if (!mayLack)
    assert.equal(counts, stands?.collecting === true, 'what is counted is there with its yes, and goes with it');
  if (now.current !== null) {
    assert.ok(generationOf(stage) >= before + (side === 'new' ? 1 : 0), 'the generation never goes back');
  }
  return side;
};

export const generationOf = (stage: Stage): number => {
  const file = stage.place('instance.json');
  return existsSync(file) ? readJson(file).generation : 0;
};
