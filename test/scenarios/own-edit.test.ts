/**
 * Edits of one's own in the configuration of a running server that no start has tried yet: the server looks healthy and is not, once it
 * is started again. Whatever is done to it then, nothing is stuck, and who is told what to mend has been told before.
 */

import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { leftovers } from '../support/oracle.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import { change, expectHealthy, putFile, refused, set } from '../support/steps.ts';

let folder: string;
let product: string;
let world: Scenario;

beforeAll(async () => {
  folder = makeSandbox();
  product = quickProduct(folder, 'maildev');
  world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  await change(world, 'install', `${product}@2.2.1`, ...set({ webPort, smtpPort }));
});
afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const file = (): string => world.path('instances/maildev/config/server.env');
const edit = (from: string, to: string): string => {
  const text = readFileSync(file(), 'utf8');
  expect(text).toContain(from);
  putFile(file(), text.replace(from, to), world.path('instances/maildev/config'));
  return readFileSync(file(), 'utf8');
};
const idsOf = (warnings: readonly { id: string }[]): string[] => warnings.map(({ id }) => id);

it('a line that does no harm is warned of until a start has tried it, and survives password and upgrade', async () => {
  appendFileSync(file(), 'MAILDEV_OUTGOING_HOST=smtp.example.org\n');
  const { document } = await world.json(['upgrade', 'maildev', '--dry-run']);
  expect(idsOf(document.warnings)).toContain('config-untried');
  expect((await world.run(['restart', 'maildev'])).exit).toBe(0);

  const secret = `${world.folder}/password`;
  putFile(secret, 'another-password', world.folder);
  const upgraded = await change(world, 'upgrade', 'maildev', '--set', `webPassword=@file:${secret}`);
  expect(idsOf(upgraded.warnings)).toContain('config-edited');
  expect(idsOf(upgraded.warnings)).not.toContain('config-untried');
  const text = readFileSync(file(), 'utf8');
  for (const line of ['another-password', 'MAILDEV_OUTGOING_HOST=smtp']) expect(text).toContain(line);
  await expectHealthy(world, 'maildev', '3.0.0');
});

it('a file that was removed stays so through a change, which says it, and comes back as doctor advises', async () => {
  const [text, mode] = [readFileSync(file(), 'utf8'), statSync(file()).mode];
  const about = async () =>
    (await world.json(['doctor', 'maildev'])).document.findings.find(({ id }: Document) => id === 'config-missing');
  rmSync(file());
  const { document } = await world.json(['reinstall', 'maildev', '--dry-run']);
  expect(idsOf(document.warnings)).toContain('config-missing');
  const { remedy } = await about();
  const [, command = ''] = /: (install .+), then: assent restart maildev$/.exec(remedy) ?? [];
  expect(spawnSync('/bin/sh', ['-c', command], { ...nobody }).status, remedy).toBe(0);
  expect(readFileSync(file(), 'utf8')).toBe(
    readFileSync(world.path('instances/maildev/config.base/server.env'), 'utf8'),
  );
  expect(statSync(file()).mode).toBe(mode);
  expect((await world.run(['restart', 'maildev'])).exit).toBe(0);
  expect(await about()).toBeUndefined();
  putFile(file(), text, world.path('instances/maildev/config'));
  expect((await world.run(['restart', 'maildev'])).exit).toBe(0);
});

it('a login that was edited by hand undoes the change, and is itself put back', async () => {
  const edited = edit('USER=admin', 'USER=myown');
  const line = ['reinstall', 'maildev', ...set({ webUser: 'carol' })];
  const { error } = await refused(world, 3, 'refused-danger', ...line);
  expect(error.message).toContain('server.env was edited here, and MailDev 3.0.0 with these settings wants');
  const ack = ['--ack', 'config-conflict:server.env'];
  const { document } = await world.json([...line, ...ack, '--dry-run']);
  expect(idsOf(document.warnings)).toContain('config-untried');

  const run = await world.json([...line, ...ack, '--yes', '--telemetry=off']);
  expect(run.document.error).toMatchObject({ code: 'change-undone', exit: 6 });
  expect(run.document.error.message).toMatch(/^The reinstall of maildev failed and was undone: .* 401/);
  expect(run.document.error.advice).toMatch(/but it is not healthy: .*server\.env was changed after .* Mend it, then/);
  expect(run.stderr.split('The end of its log:'), 'the log once').toHaveLength(2);
  expect(readFileSync(file(), 'utf8')).toBe(edited);
  expect(leftovers(world, 'maildev'), 'nothing is left to recover').toEqual([]);

  edit('USER=myown', 'USER=admin');
  expect((await world.run(['restart', 'maildev'])).exit).toBe(0);
  await expectHealthy(world, 'maildev', '3.0.0');
});
