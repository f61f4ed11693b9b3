/** What a damaged file is looked at with: an instance that stands still, commands that only look, and one that would change something. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document, Run } from '../../support/scenario.ts';
import { touchedDigest } from '../../support/steps.ts';
import { makeStage, name, reinstall, type Stage, upgrade } from '../stage.ts';

/** `base` is stopped, with a yes in force; `open` the same in the middle of an upgrade whose process was killed. */
export const makeScene = async (): Promise<Stage> => {
  const stage = await makeStage();
  await stage.install('yes');
  await stage.fine('stop', name);
  stage.keep('base');
  const crash = join(import.meta.dirname, '../../support/crash-at.mjs');
  const env = { NODE_OPTIONS: `--import=${crash}`, ASSENT_TEST_CRASH: '9' };
  const { signal, stderr } = await stage.world.run(upgrade, { env });
  assert.equal(signal, 'SIGKILL', stderr);
  assert.match(readFileSync(stage.place('journal/open.jsonl'), 'utf8'), /"entry":"done","step":"data"/);
  stage.keep('open');
  return stage;
};

/** Without its no, which would be recorded at once whatever becomes of the change. */
export const silentReinstall = reinstall.slice(0, -1);

/** Whatever these commands say, they leave every file as it is. */
export const withoutTouching = async <T>(stage: Stage, work: () => Promise<T>): Promise<T> => {
  const before = touchedDigest(stage.place());
  const result = await work();
  assert.equal(touchedDigest(stage.place()), before, 'a file was touched');
  return result;
};

export const refusedAs = async (stage: Stage, code: string, ...args: string[]): Promise<Document> => {
  const { document, exit, stderr } = await stage.world.json([...args]);
  assert.equal(document.error?.code, code, `${args[0]}: exit ${exit}: ${stderr}`);
  assert.equal(exit, 3, 'refused');
  assert.ok(document.error.message.length > 20 && document.error.advice.length > 20, 'it says what, and what to type');
  return document.error;
};

/** The finding of that id, with something to type. */
export const doctorFinds = async (stage: Stage, id: string): Promise<void> => {
  const { document, exit, stderr } = await stage.world.json(['doctor', name]);
  const ids = (document.findings ?? []).map((finding: Document) => finding.id);
  const found = (document.findings ?? []).find((finding: Document) => finding.id === id);
  assert.ok(found, `doctor does not find ${id}, but ${ids}: ${stderr}`);
  assert.ok(found.remedy.length > 10, 'a finding has a remedy');
  assert.equal(exit, 3);
};

export const consentNow = async (stage: Stage): Promise<Document> => {
  const { document } = await stage.world.json(['telemetry', 'status', name]);
  assert.equal(document.consent.collecting, false, 'nothing is counted on a damaged file');
  return document.consent;
};

/** `telemetry off` works whatever is damaged, and then a no is what stands. */
export const canWithdraw = async (stage: Stage): Promise<Run> => {
  const run = await stage.world.run(['telemetry', 'off', name]);
  assert.equal(run.exit, 0, `telemetry off: ${run.stderr}`);
  assert.equal((await consentNow(stage)).state, 'withdrawn');
  return run;
};
