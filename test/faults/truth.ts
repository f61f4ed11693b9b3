/**
 * What has to hold after any fault and at most one `recover`: the instance is exactly OLD or NEW (release, data, configuration, secrets, settings, the server that
 * answers), nothing temporary is left, a second `recover` changes nothing, every exit code is a documented one, the generation never went back, and nobody counts without a yes that is in force:
 * consent is NEW's, or OLD's with an acceptance turned into `not-asked`.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { instancePaths } from '../../src/instance/paths.ts';
import { unfinished } from '../../src/instance/unfinished.ts';
import type { InstanceName } from '../../src/values.ts';
import { type Looks, leftovers } from '../support/oracle.ts';
import { type Document, readJson } from '../support/scenario.ts';
import { name, type Stage } from './stage.ts';

export interface Sides {
  readonly old: Looks;
  readonly fresh: Looks;
}

export type Side = 'old' | 'new';

/** Plays a change from `from` once, and what it looks like before and after. Leaves the new side. */
export const sidesOf = async (stage: Stage, from: string, args: readonly string[]): Promise<Sides> => {
  await stage.layBack(from);
  const old = await stage.looks();
  await stage.fine(...args);
  const fresh = await stage.looks();
  assert.notDeepEqual(fresh, old, 'a change that changes nothing tells nothing');
  return { old, fresh };
};

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
  const side = await holds(stage, sides, before);
  if (open && existsSync(stage.place('instance.json')))
    assert.ok(generationOf(stage) > before, 'a change that has begun raises the generation, whatever becomes of it');
  return side;
};

/** The same where nothing is open any more. */
export const holds = async (stage: Stage, { old, fresh }: Sides, before: number): Promise<Side> => {
  const now = await stage.looks();
  const side = JSON.stringify(now) === JSON.stringify(old) ? 'old' : 'new';
  assert.deepEqual(now, side === 'old' ? old : fresh);
  // A yes stands for as long as no change has begun, and what it counts with it.
  const begun = generationOf(stage) > before || side === 'new';
  const left = leftovers(stage.world, name).filter((entry) => begun || entry !== 'telemetry');
  assert.deepEqual(left, []);
  const { exit, document, stderr } = await stage.world.json(['recover', name]);
  assert.equal(exit, now.current === null ? 10 : 0, `a second recover: exit ${exit} ${stderr}`);
  assert.notEqual(document.changed, true, 'a second recover changes nothing');
  assert.deepEqual(await stage.looks(), now, 'a second recover changes nothing');
  if (now.current !== null) {
    if (begun) assert.equal(document.consent?.collecting, false, 'no yes outlives the change');
    assert.equal(
      existsSync(stage.place('telemetry')),
      document.consent?.collecting,
      'what was counted goes with its yes',
    );
    assert.ok(generationOf(stage) >= before + (side === 'new' ? 1 : 0), 'the generation never goes back');
  }
  return side;
};

export const generationOf = (stage: Stage): number => {
  const file = stage.place('instance.json');
  return existsSync(file) ? readJson(file).generation : 0;
};

export const consentOf = async (stage: Stage): Promise<Document> =>
  (await stage.world.json(['telemetry', 'status', name])).document.consent;
