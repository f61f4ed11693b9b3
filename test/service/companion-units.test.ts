/** Units of companions as systemd itself judges them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { companionUnits } from '../../src/service/companion-units.ts';
import { installCompanions, removeCompanions } from '../../src/service/companions.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { makeService } from '../support/service.ts';

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyze) console.log('skipped: the tests of units need systemd-analyze (Debian: apt-get install systemd)');

const specOf = async (uid = 0, changes: Partial<ServiceSpec> = {}): Promise<ServiceSpec> => {
  const { spec, paths } = makeService(sandbox(), await freePort(), 'web.mjs', []);
  const companions = {
    follow: ['telemetry', 'follow', 'mail', '--home', paths.home],
    send: ['telemetry', 'send', 'mail', '--home', paths.home, '--scheduled'],
  };
  const account = uid === 0 ? { name: 'daemon', uid: 1, gid: 1, made: true } : null;
  return { ...spec, supervisor: 'systemd', account, companions, host: { ...spec.host, uid }, ...changes };
};

/** Files of all three units in one folder, by name. */
const filesOf = (spec: ServiceSpec): string[] => {
  const folder = join(spec.paths.home, 'units');
  mkdirSync(folder, { recursive: true });
  const { count, send } = companionUnits(spec);
  return [count!, send!.timer, send!.service].map(({ name, text }) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
};

const analyze = (...args: string[]) =>
  spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: sandbox() } });

test.runIf(hasAnalyze).each([
  ['counts', 0, 10],
  // It is root's, needs the network, and one of root's powers: no unit that does can be below 1.5.
  ['sends', 2, 18],
] as const)('what %s is hardly exposed', async (_, at, threshold) => {
  const file = filesOf(await specOf())[at]!;
  const { status, stdout, stderr } = analyze('security', '--offline=true', `--threshold=${threshold}`, file);
  expect(status, stdout + stderr).toBe(0);
});

test.runIf(hasAnalyze).each([
  ['system', 0],
  ['user', 1000],
] as const)('systemd has nothing to say about %s units', async (_, uid) => {
  const files = filesOf(await specOf(uid));
  const { status, stdout, stderr } = analyze('verify', '--man=no', ...(uid === 0 ? [] : ['--user']), ...files);
  expect((stdout + stderr).split('\n').filter((line) => line.includes('assent-mail.'))).toEqual([]);
  expect(status).toBe(0);
});

test('they run the verified copy, and a veto of the change is theirs, too', async () => {
  const spec = await specOf();
  const { node, main } = spec.host.program!;
  const units = companionUnits({ ...spec, environment: { ...spec.environment, DO_NOT_TRACK: '1' } });
  expect(units.send!.service.text).toContain(
    `\nExecStart="${node}" "${main}" "telemetry" "send" "mail" "--home" "${spec.paths.home}" "--scheduled"\n`,
  );
  expect(units.send!.service.text).toContain('\nEnvironment="DO_NOT_TRACK=1"\n');
  expect(units.send!.service.text).not.toContain('NODE_EXTRA_CA_CERTS');
  expect(units.count!.text).toContain('\nUser=daemon\n');
  expect(units.count!.text).toContain(`\nReadWritePaths="-${spec.paths.counts}"\n`);
  expect(units.count!.text).toContain('\nPrivateNetwork=yes\n');
  expect([units.count, units.send?.timer, units.send?.service].map((unit) => unit?.name)).toEqual([
    'assent-mail.count.service',
    'assent-mail.telemetry.timer',
    'assent-mail.telemetry.service',
  ]);
});

test('where the product has no companions there are no units, and nothing is asked of systemd', async () => {
  const spec = await specOf(1000, { companions: { follow: null, send: null } });
  expect(companionUnits(spec)).toEqual({ count: null, send: null });
  await installCompanions(spec, 'systemd');
  await removeCompanions(spec);
  await removeCompanions(spec);
});

test('under another supervisor nothing is installed', async () => {
  const spec = await specOf(1000);
  await installCompanions(spec, 'process');
  await installCompanions(spec, 'none');
  expect(spawnSync('find', [spec.host.userUnits], { encoding: 'utf8' }).stdout).toBe('');
});
