/**
 * A disk on which nothing can be synced any more from the last word of a change on: it can be neither committed nor undone for certain. The command says that it is open, whatever the
 * disk has kept, and the `recover` that it names ends it. Found by the attack `errors`. And one that is committed, and whose end alone can't be written, is told to programs as what it is, too.
 */

import { expect, onTestFinished, test } from 'vitest';
import { makeStage, name, upgrade } from '../faults/stage.ts';
import { callsTouching, cannotTrace, traced } from '../faults/strace.ts';

/** An upgrade, with these words more, in which the journal's entry can't be synced; `onwards`: nothing behind it either. */
const unsynced = async (entry: 'commit' | 'close', words: readonly string[], onwards: boolean) => {
  const stage = await makeStage();
  onTestFinished(stage.close);
  await stage.install('no');
  stage.keep('base');
  const line = [...upgrade, ...words];
  const { calls, exit } = await traced(stage.world, line);
  expect(exit).toBe(0);
  await stage.layBack('base');
  const ofJournal = callsTouching('journal/open.jsonl', calls);
  const isEntry = (text: string): boolean => text.includes(`"entry\\":\\"${entry}\\"`);
  const written = ofJournal.findIndex((made) => made.call === 'write' && isEntry(made.line));
  const at = ofJournal.slice(written).find(({ call }) => call === 'fsync');
  return { stage, run: await traced(stage.world, line, { what: 'error=EIO', at: at!, onwards }) };
};

test('a change that can be neither committed nor undone is open, and ended by the recover that is named', async ({
  skip,
}) => {
  const why = cannotTrace();
  if (why !== undefined) skip(why);
  const { stage, run } = await unsynced('commit', [], true);
  expect(run).toMatchObject({ exit: 8 });
  expect(run.stderr).toContain(`assent recover ${name}. `);
  const status = async () => (await stage.world.json(['status', name])).document.instance;
  expect((await status()).unfinished).toMatchObject({ running: false });
  await stage.fine('recover', name);
  expect(await status()).toMatchObject({ state: 'running', health: 'healthy' });
});

test('a change that holds, and whose end could not be written, is told in JSON as one that failed and has changed something', async ({
  skip,
}) => {
  const why = cannotTrace();
  if (why !== undefined) skip(why);
  const { stage, run } = await unsynced('close', ['--json'], false);
  expect(run).toMatchObject({ exit: 8 });
  const document = JSON.parse(run.stdout);
  expect(document).toMatchObject({ ok: false, outcome: 'failed', changed: true });
  expect(document.error).toMatchObject({ code: 'change-interrupted', message: expect.stringContaining('holds') });
  await stage.fine('recover', name);
});
