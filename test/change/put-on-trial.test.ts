/** When a trial begins, of a change that somebody finishes later: the journal knows since when it holds. */
import { mkdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ChangeContext } from '../../src/change/context.ts';
import { appendEntry, type Opening, openJournal } from '../../src/change/journal.ts';
import { putOnTrial } from '../../src/change/put-on-trial.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { type InstanceState, readState } from '../../src/instance/state.ts';
import { trialFrom } from '../../src/instance/trial.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';
import { sampleState } from '../support/sample-state.ts';
import { sandbox } from '../support/sandbox.ts';

const [opened, held, recovered] = ['12:00', '12:01', '18:00'].map((time) => `2026-03-01T${time}:00.000Z`) as [
  string,
  string,
  string,
];
const at = (time: string) => ({ ...realWorld(), now: () => new Date(time) });

const after = sampleState({ trial: trialFrom(15, new Date(opened)) }, opened);

const opening = {
  ...{ kind: 'upgrade', plan: { kind: 'upgrade', generation: 7, steps: [] }, before: null, after },
  ...{ found: {}, answer: {}, since: 0, login: 'someone', backup: '000007-upgrade', purge: false, at: opened },
} as unknown as Opening;

/** The trial that whoever comes at that time begins, of a change committed at 12:01. */
const begunAt = async (time: string): Promise<InstanceState['trial']> => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  mkdirSync(paths.folder, { recursive: true });
  openJournal(at(opened), paths, opening);
  appendEntry(at(held), paths, { entry: 'commit' });
  const ctx = { world: at(time), paths, opening, specAfter: {}, events: { warn: expect.unreachable } };
  await putOnTrial(ctx as unknown as ChangeContext);
  return readState(paths)?.trial;
};

it('lasts its minutes from now, and what was written since the commit is of it', async () => {
  expect(await begunAt(recovered)).toEqual({ minutes: 15, since: held, until: '2026-03-01T18:15:00.000Z' });
});

it('begins no later where a clock was set back', async () => {
  expect(await begunAt('2026-03-01T11:00:00.000Z')).toMatchObject({ since: '2026-03-01T11:00:00.000Z' });
});
