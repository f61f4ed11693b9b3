/** Units that act by themselves, as systemd itself judges them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { recoveryCommand } from '../../src/instance/recovery-copy.ts';
import { trialFrom } from '../../src/instance/trial.ts';
import { actingNames, lookUnit, recoverUnit, trialDropIn, trialTimer } from '../../src/service/acting-units.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { renderUnit, unitName } from '../../src/service/unit.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { makeService } from '../support/service.ts';

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyze) console.log('skipped: the tests of units need systemd-analyze (Debian: apt-get install systemd)');

const trial = trialFrom(15, new Date('2026-03-01T12:00:00Z'));

const specOf = async (uid: number): Promise<ServiceSpec> => {
  const { spec } = makeService(sandbox(), await freePort(), 'web.mjs', []);
  return { ...spec, account: { name: 'daemon', uid: 1, gid: 1, made: true }, host: { ...spec.host, uid } };
};

/** All of them in one folder, with the server's own. */
const unitsIn = (spec: ServiceSpec): { folder: string; names: string[] } => {
  const folder = join(spec.paths.home, 'units');
  const { recover, look, timer, dropIn } = actingNames(spec.instance);
  const texts = {
    [unitName(spec.instance)]: renderUnit(spec),
    [recover]: recoverUnit(spec),
    [look]: lookUnit(spec),
    [timer]: trialTimer(spec, trial),
    [dropIn]: trialDropIn(spec, trial),
  };
  // systemd looks whether what it is to execute is there.
  mkdirSync(spec.paths.recover, { recursive: true });
  writeFileSync(recoveryCommand(spec.paths), '#!/bin/sh\n', { mode: 0o755 });
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, names: [unitName(spec.instance), recover, look, timer] };
};

const analyze = (...args: string[]) =>
  spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: sandbox() } });

test.runIf(hasAnalyze).each([0, 1000])('systemd has nothing to say about those of user %s', async (uid) => {
  const { folder, names } = unitsIn(await specOf(uid));
  const files = names.map((name) => join(folder, name));
  const { status, stdout, stderr } = analyze('verify', '--man=no', ...(uid === 0 ? [] : ['--user']), ...files);
  expect((stdout + stderr).split('\n').filter((line) => line.includes('assent-'))).toEqual([]);
  expect(status).toBe(0);
});

test.runIf(hasAnalyze)('what acts as root is exposed at most 3.5, as little as a change allows', async () => {
  const { folder } = unitsIn(await specOf(0));
  for (const name of [actingNames('mail').recover, actingNames('mail').look]) {
    const { status, stdout, stderr } = analyze('security', '--offline=true', '--threshold=35', join(folder, name));
    expect(status, stdout + stderr).toBe(0);
  }
});

test('a boot without an open journal starts no recovery, and one with it no server', async () => {
  const spec = await specOf(0);
  const { openJournal } = spec.paths;
  expect(recoverUnit(spec)).toContain(`\nConditionPathExists=${openJournal}\n`);
  expect(renderUnit(spec)).toContain(
    `\nConditionPathExists=|!${openJournal}\nConditionPathExists=|%t/assent/mail.started\n`,
  );
});

test('only in a trial is a server given up, and then somebody is called', async () => {
  const spec = await specOf(0);
  expect(renderUnit(spec)).toContain('\nStartLimitIntervalSec=0\n');
  expect(renderUnit(spec)).not.toContain('OnFailure');
  expect(trialDropIn(spec, trial)).toMatch(/OnFailure=assent-mail\.trial\.service\nStartLimitIntervalSec=960\n/);
});
