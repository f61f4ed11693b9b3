/** `assent run --json`: the server's own words and the one document do not meet on standard output. */

import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { eventually } from '../support/service.ts';

const product = `${join(repository, 'test/fixtures/products/json-server/manifest.yaml')}@1.0.0-beta.15`;

it('a run in the foreground with --json has nothing but the document on standard output; the server writes to standard error', async () => {
  const world = await scenario([product]);
  const port = await freePort();
  const install = ['install', product, '--supervisor', 'none', '--set', `webPort=${port}`, '--yes', '--telemetry=off'];
  expect(await world.run(install)).toMatchObject({ exit: 0 });
  const child = world.start(['run', 'json-server', '--json']);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const told = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => (told.out += chunk));
  child.stderr?.on('data', (chunk) => (told.err += chunk));
  await eventually(() => fetch(`http://127.0.0.1:${port}/`), 30_000);
  child.kill('SIGTERM');
  expect((await closed)[0]).toBe(0);
  expect(JSON.parse(told.out)).toMatchObject({ schema: 'assent/1', command: 'run', ok: true });
  expect(told.err).toContain('JSON Server started');
});
