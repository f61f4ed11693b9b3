/**
 * The command and the server killed in one moment, as by a machine that loses its power, where nobody starts servers at a boot: `recover` ends the change, and the server that was meant
 * to run answers. Found by the attack `power`.
 */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { endProcesses } from '../faults/stage.ts';
import { crashed } from '../support/crash.ts';
import { freePort } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';

const product = join(repository, 'test/fixtures/products/json-server/manifest.yaml');
const name = 'json-server';
const [old, fresh] = ['0.17.4', '1.0.0-beta.15'];

const closed = '"entry":"close"';

it.each([
  ['before the server was stopped, the old one', '"entry":"begin","step":"generation"', old, undefined],
  ['behind the commit, the new one', '"entry":"commit"', fresh, undefined],
  ['again where the recovery was killed at its end, the old one', '"entry":"begin","step":"generation"', old, closed],
  ['again where the recovery was killed at its end, the new one', '"entry":"commit"', fresh, closed],
])('down %s', async (_, at, version, again) => {
  const world = await scenario([`${product}@${old}`, `${product}@${fresh}`]);
  const yes = ['--yes', '--telemetry=off', '--supervisor', 'process'];
  const port = await freePort();
  expect(await world.run(['install', `${product}@${old}`, '--set', `webPort=${port}`, ...yes])).toMatchObject({
    exit: 0,
  });
  expect(await crashed(world, ['upgrade', name, '--to', fresh, ...yes.slice(0, 2)], at)).toMatchObject({
    signal: 'SIGKILL',
  });
  endProcesses(world.home);
  await expect(fetch(`http://127.0.0.1:${port}/posts`)).rejects.toThrow();
  if (again !== undefined) {
    expect(await crashed(world, ['recover', name], again)).toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => fetch(`http://127.0.0.1:${port}/posts`).then(({ status }) => status)).toBe(200);
    return;
  }
  expect((await world.json(['recover', name])).document).toMatchObject({ outcome: 'recovered' });
  expect((await world.json(['status', name])).document.instance).toMatchObject({ version, state: 'running' });
  await expect.poll(() => fetch(`http://127.0.0.1:${port}/posts`).then(({ status }) => status)).toBe(200);
  expect((await world.json(['recover', name])).document).toMatchObject({ outcome: 'unchanged', changed: false });
});
