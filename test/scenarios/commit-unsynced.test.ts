/**
 * A disk on which nothing can be synced any more from the last word of a change on: it can be neither committed nor undone for certain. The command says that it is open, whatever the
 * disk has kept, and the `recover` that it names ends it. Found by the attack `errors`. And one that is committed, and whose end alone can't be written, is told to programs as what it is, too.
 */

import { expect, onTestFinished, test } from 'vitest';
import { makeStage, name, upgrade } from '../faults/stage.ts';
import { callsTouching, cannotTrace, traced } from '../faults/strace.ts';

test('a change that can be neither committed nor undone is open, and ended by the recover that is named', async ({
  skip,
}) => {
  const why = cannotTrace();
  if (why !== undefined) skip(why);
  const stage = await makeStage();
  onTestFinished(stage.close);
  await stage.install('no');
  stage.keep('base');
  const { calls, exit } = await traced(stage.world, upgrade);
  expect(exit).toBe(0);
  await stage.layBack('base');

  const ofJournal = callsTouching('journal/open.jsonl', calls);
  const written = ofJournal.findIndex(({ call, line }) => call === 'write' && line.includes('"entry\\":\\"commit\\"'));
  const at = ofJournal.slice(written).find(({ call }) => call === 'fsync');
  const run = await traced(stage.world, upgrade, { what: 'error=EIO', at: at!, onwards: true });
  expect(run).toMatchObject({ exit: 8 });
  expect(run.stderr).toContain(`assent recover ${name}. `);
  expect((await stage.world.json(['status', name])).document.instance.unfinished).toMatchObject({ running: false });
  await stage.fine('recover', name);
  expect((await stage.world.json(['status', name])).document.instance).toMatchObject({
    state: 'running',
    health: 'healthy',
  });
});

test('a change that holds, and whose end could not be written, is told in JSON as one that failed and has changed something', async ({
  skip,
}) => {
  const why = cannotTrace();
  if (why !== undefined) skip(why);
  const stage = await makeStage();
  onTestFinished(stage.close);
  await stage.install('no');
  stage.keep('base');
  const line = [...upgrade, '--json'];
  const { calls, exit } = await traced(stage.world, line);
  expect(exit).toBe(0);
  await stage.layBack('base');

  const ofJournal = callsTouching('journal/open.jsonl', calls);
  const written = ofJournal.findIndex(({ call, line }) => call === 'write' && line.includes('"entry\\":\\"close\\"'));
  const at = ofJournal.slice(written).find(({ call }) => call === 'fsync');
  const run = await traced(stage.world, line, { what: 'error=EIO', at: at! });
  expect(run).toMatchObject({ exit: 8 });
  const document = JSON.parse(run.stdout);
  expect(document).toMatchObject({ ok: false, outcome: 'failed', changed: true });
  expect(document.error).toMatchObject({ code: 'change-interrupted', message: expect.stringContaining('holds') });
  await stage.fine('recover', name);
});
