/** Whose a unit is: by its text, for every unit that names a home, and by where that home leads. */
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import { installBootRecovery, removeBootRecovery, removeTrial } from '../../src/service/acting.ts';
import { actingNames, lookUnit, recoverUnit } from '../../src/service/acting-units.ts';
import { companionNames, companionUnits } from '../../src/service/companion-units.ts';
import { removeCompanions } from '../../src/service/companions.ts';
import { mustBeOurs } from '../../src/service/own-units.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { companionsOf } from '../../src/service/spec-companions.ts';
import { supervisors } from '../../src/service/supervisor.ts';
import { renderUnit, unitName } from '../../src/service/unit.ts';
import { homeNamedIn } from '../../src/service/unit-home.ts';
import type { InstanceName } from '../../src/values.ts';
import { mountBind } from '../support/mounts.ts';
import { asRoot, sandbox } from '../support/sandbox.ts';
import { makeService } from '../support/service.ts';

/** Nobody's number: no manager runs for it, so only the files in the folder of units count. */
const uid = 54_321;
const name = 'mail' as InstanceName;

const specAt = (paths: InstancePaths, units: string): ServiceSpec => {
  const { spec } = makeService(sandbox(), 8025, 'web.mjs', []);
  const telemetry = { accessLog: { file: 'x' }, recipient: 'https://example.com' } as never;
  return {
    ...spec,
    ...{ supervisor: 'systemd', paths, directory: paths.data, account: null },
    environment: { ...spec.environment, HOME: paths.data, NOTE: 'x\u2028Environment="HOME=/else/instances/mail/data"' },
    companions: companionsOf({ telemetry }, {}, paths),
    host: { ...spec.host, uid, userUnits: units },
  };
};

interface Homes {
  readonly folder: string;
  readonly units: string;
  readonly ours: ServiceSpec;
  readonly others: ServiceSpec;
}

/** Two homes of one user, with an instance of the same name in each. */
const twoHomes = (): Homes => {
  const folder = sandbox();
  const units = join(folder, 'units');
  mkdirSync(units);
  const [ours, others] = ['ours', 'others'].map((home) => {
    const paths = instancePaths(join(folder, home), name);
    mkdirSync(paths.folder, { recursive: true });
    return specAt(paths, units);
  }) as [ServiceSpec, ServiceSpec];
  return { folder, units, ours, others };
};

const write = (units: string, unit: string, text: string): void => writeFileSync(join(units, unit), text);

test.each(['/var/lib/assent', '/', '/srv/a b', '/srv/50% of $HOME "x" \\n', '/srv/ü€'])(
  'every unit that is no timer names its home: %j',
  (home) => {
    const spec = specAt(instancePaths(home, name), '/units');
    const { count, send } = companionUnits(spec);
    const texts = [renderUnit(spec), recoverUnit(spec), lookUnit(spec), count?.text, send?.service.text];
    for (const text of texts) expect(homeNamedIn(text ?? '', name)).toBe(home);
    expect(homeNamedIn(send?.timer.text ?? '', name)).toBeUndefined();
  },
);

test('a unit of another home is in the way, and what to do is told', async () => {
  const { units, ours, others } = twoHomes();
  await mustBeOurs(ours, { isNew: true });
  write(units, unitName(name), renderUnit(ours));
  await mustBeOurs(ours, { isNew: true });
  for (const [unit, text] of [
    [unitName(name), renderUnit(others)],
    [actingNames(name).recover, recoverUnit(others)],
  ] as const) {
    write(units, unit, text);
    await expect(mustBeOurs(ours)).rejects.toMatchObject({
      code: 'refused-check',
      message: expect.stringContaining(
        `${join(units, unit)} is of the instance mail in another home, ${others.paths.home}`,
      ),
      advice: `Remove the other: assent uninstall mail --home ${others.paths.home}. Or give up this one: assent uninstall mail --home ${ours.paths.home}. Nothing was changed.`,
    });
    await expect(mustBeOurs(ours, { isNew: true })).rejects.toMatchObject({
      advice: expect.stringMatching(
        /^Choose another name: --name mail-2, or another supervisor: --supervisor process\. Or/,
      ),
    });
    write(units, unit, unit === unitName(name) ? renderUnit(ours) : recoverUnit(ours));
  }
  await mustBeOurs(ours);
});

test('so is one that Assent did not write, and a mask', async () => {
  const { units, ours } = twoHomes();
  write(units, unitName(name), '[Service]\nExecStart=/usr/bin/true\n');
  await expect(mustBeOurs(ours)).rejects.toMatchObject({ message: expect.stringContaining('Assent did not write it') });
  const masked = twoHomes();
  symlinkSync('/dev/null', join(masked.units, unitName(name)));
  await expect(mustBeOurs(masked.ours)).rejects.toMatchObject({ code: 'refused-check' });
});

test("one's own unit is that by whatever path leads to the home, with lines of an admin's, and after the home was moved", async () => {
  const { folder, units, ours, others } = twoHomes();
  symlinkSync(ours.paths.home, join(folder, 'link'));
  write(units, unitName(name), renderUnit(specAt(instancePaths(join(folder, 'link'), name), units)));
  await mustBeOurs(ours, { isNew: true });
  write(units, unitName(name), `# mine\n${renderUnit(ours)}\nNice=5\n`);
  mkdirSync(join(units, `${unitName(name)}.d`));
  write(units, `${unitName(name)}.d/override.conf`, '[Service]\nEnvironment="HOME=/elsewhere"\n');
  await mustBeOurs(ours, { isNew: true });
  write(units, unitName(name), renderUnit(others));
  renameSync(others.paths.home, join(folder, 'moved'));
  await mustBeOurs(specAt(instancePaths(join(folder, 'moved'), name), units));
  // Its disk may only not be mounted now: nobody who begins here takes it.
  await expect(mustBeOurs(ours, { isNew: true })).rejects.toMatchObject({ code: 'refused-check' });
});

test('and where the home is seen at a second mount point', async ({ skip }) => {
  asRoot(skip);
  const { folder, units, ours, others } = twoHomes();
  const second = join(folder, 'second');
  mkdirSync(second);
  mountBind(skip, ours.paths.home, second);
  write(units, unitName(name), renderUnit(specAt(instancePaths(second, name), units)));
  await mustBeOurs(ours);
  await mustBeOurs(ours, { isNew: true });
  await expect(mustBeOurs(others)).rejects.toMatchObject({ code: 'refused-check' });
});

test("nothing of another home's is taken away or written over", async () => {
  const { units, ours, others } = twoHomes();
  const { recover, look, timer } = actingNames(name);
  const companions = companionNames(name);
  const files = {
    [unitName(name)]: renderUnit(others),
    [recover]: recoverUnit(others),
    [look]: lookUnit(others),
    [timer]: '[Timer]\n',
    [companions.send]: companionUnits(others).send?.service.text ?? '',
    [companions.timer]: '[Timer]\n',
  };
  for (const [unit, text] of Object.entries(files)) write(units, unit, text);
  await removeCompanions(ours);
  await removeTrial(ours, 'systemd');
  await removeBootRecovery(ours, 'systemd');
  await supervisors.systemd.remove(ours);
  await supervisors.systemd.stop(ours);
  await installBootRecovery(ours, 'systemd', { runs: false });
  for (const act of ['install', 'start'] as const)
    await expect(supervisors.systemd[act](ours), act).rejects.toMatchObject({
      code: 'refused-check',
      message: expect.stringContaining(`in another home, ${others.paths.home}`),
    });
  const there = readdirSync(units).map((unit) => [unit, readFileSync(join(units, unit), 'utf8')]);
  expect(Object.fromEntries(there)).toEqual(files);
});
