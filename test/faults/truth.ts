/**
 * What has to hold after any fault and at most one `recover`: the instance is exactly OLD or NEW (release, data, configuration, secrets, settings, the server that
 * answers), nothing temporary is left, a second `recover` changes nothing, every exit code is a documented one, the generation never went back, and nobody counts without a yes that is in force:
 * consent is NEW's, or OLD's with an acceptance turned into `not-asked`.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type Looks, leftovers } from '../support/oracle.ts';
import { type Document, readJson } from '../support/scenario.ts';
import { name, type Stage } from './stage.ts';

export interface Sides {
  readonly old: Looks;
  readonly fresh: Looks;
}

/** Plays a change from `from` once, and what it looks like before and after. Leaves the new side. */
export const sidesOf = async (stage: Stage, from: string, args: readonly string[]): Promise<Sides> => {
  await stage.layBack(from);
  const old = await stage.looks();
  await stage.fine(...args);
  const fresh = await stage.looks();
  assert.notDeepEqual(fresh, old, 'a change that changes nothing tells nothing');
  return { old, fresh };
};

/** Ends what is open with one `recover`, and says which side it is on. Throws where anything is not as it has to be. */
export const settled = async (stage: Stage, sides: Sides, before = generationOf(stage)): Promise<'old' | 'new'> => {
  const { document } = await stage.world.json(['status', name]);
  if (document.instance?.unfinished !== undefined) {
    assert.equal((await consentOf(stage)).collecting, false, 'nobody collects while a change is open');
    const { exit, stderr } = await stage.world.run(['recover', name]);
    assert.equal(exit, 0, `recover: ${stderr}`);
  }
  return holds(stage, sides, before);
};

/** The same where nothing is open any more. */
export const holds = async (stage: Stage, { old, fresh }: Sides, before: number): Promise<'old' | 'new'> => {
  const now = await stage.looks();
  const side = JSON.stringify(now) === JSON.stringify(old) ? 'old' : 'new';
  assert.deepEqual(now, side === 'old' ? old : fresh);
  assert.deepEqual(leftovers(stage.world, name), []);
  if (now.current !== null) {
    assert.equal((await consentOf(stage)).collecting, false, 'no yes outlives the change');
    assert.ok(generationOf(stage) >= before, 'the generation never goes back');
  }
  const again = await stage.world.json(['recover', name]);
  assert.ok([0, 10].includes(again.exit ?? -1), `a second recover: exit ${again.exit} ${again.stderr}`);
  assert.notEqual(again.document.changed, true, 'a second recover changes nothing');
  assert.deepEqual(await stage.looks(), now, 'a second recover changes nothing');
  return side;
};

export const generationOf = (stage: Stage): number => {
  const file = stage.place('instance.json');
  return existsSync(file) ? readJson(file).generation : 0;
};

export const consentOf = async (stage: Stage): Promise<Document> =>
  (await stage.world.json(['telemetry', 'status', name])).document.consent;
