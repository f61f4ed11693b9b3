/**
 * The power goes during `telemetry off`. Behind the cut there is the yes of before, whole, or a no; once the command has said success, a no, with nothing that was counted.
 * Either way the same command works, and then it is one.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { leftovers } from '../../support/oracle.ts';
import type { Change } from '../changes.ts';
import { consentOf } from '../consents.ts';
import { name, type Stage } from '../stage.ts';

export const withdrawal: Change = {
  args: () => ['telemetry', 'off', name],
  prepare: ({ install }) => install('yes'),
};

/** Looks, types the command again, and looks. Throws where anybody may be counted without a yes that is whole. */
export const withdrawn = async (stage: Stage, hasSaid: boolean): Promise<void> => {
  const { state, collecting, fault } = await consentOf(stage);
  // The log is written before the record: a withdrawal that only the log knows of is no valid yes any more.
  assert.ok(['accepted', 'invalid', 'withdrawn'].includes(state), `neither the yes nor a no: ${state}`);
  assert.equal(collecting, state === 'accepted');
  if (hasSaid) {
    assert.deepEqual([state, fault], ['withdrawn', undefined], 'it had said success');
    assert.equal(existsSync(stage.place('telemetry')), false, 'what was counted is there again');
  }
  await stage.fine('telemetry', 'off', name);
  const now = await consentOf(stage);
  assert.deepEqual([now.state, now.collecting, now.fault], ['withdrawn', false, undefined]);
  await stage.fine('recover', name);
  assert.deepEqual(leftovers(stage.world, name), []);
};
