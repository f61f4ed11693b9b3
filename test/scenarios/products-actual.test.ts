/**
 * Actual Budget, installed, upgraded and rolled back for real: the new release migrates the database, and the old one refuses what comes
 * out. So a rollback brings the data of then back, and one that insists on the data of now is caught and undone.
 *
 * Its native parts are compiled, once for all runs; where that can't be, and it is not CI, the scenario is skipped and says so.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../../src/source/compiler.ts';
import { freePort } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { seedStore } from '../support/seed.ts';
import { change, expectHealthy, refused, set } from '../support/steps.ts';

const releases = ['actual@25.6.0', 'actual@26.9.0'];
const missing = missingTools();
const isCi = !['', '0', 'false', undefined].includes(process.env['CI']);
const isSkipped = missing.length > 0 && !isCi;
if (isSkipped) console.log(`skipped: Actual Budget is compiled here; missing: ${missing.join(', ')}`);

describe.skipIf(isSkipped)('actual', () => {
  beforeAll(() => seedStore(releases), 1_800_000);

  it('migrates its data, and goes back with the data of then', async () => {
    const budget = await installed();
    const { world } = budget;
    await keep(budget, household, 'the budget of before');
    expect(migrations(world)).not.toContain(migration);

    const upgraded = await change(world, 'upgrade', 'actual');
    expect(upgraded).toMatchObject({ outcome: 'upgraded', instance: { version: '26.9.0', previous: '25.6.0' } });
    await answersAs(budget, '26.9.0');
    expect(migrations(world)).toContain(migration);
    expect(await files(budget)).toEqual(['household: the budget of before']);
    await keep(budget, holiday, 'the budget of now');

    await isNotFooled(budget);

    const back = await change(world, 'rollback', 'actual');
    expect(back).toMatchObject({ outcome: 'rolled-back', instance: { version: '25.6.0', previous: '26.9.0' } });
    expect(back.warnings).toContainEqual(expect.objectContaining({ id: 'data-of-then' }));
    await answersAs(budget, '25.6.0');
    expect(migrations(world)).not.toContain(migration);
    expect(await files(budget)).toEqual(['household: the budget of before']);
    expect(namesBelow(world.path('instances/actual/backups')), 'what came since is kept').toContain(holiday.id);
  });
});

/** Going back with the data of now is a danger; whoever accepts it is caught by the health gate, and the new release answers again. */
const isNotFooled = async (budget: Budget): Promise<void> => {
  const { world } = budget;
  const refusal = await refused(world, 3, 'refused-danger', 'rollback', 'actual', '--data', 'now');
  expect(refusal.error.message).toContain('[data-format]');
  await answersAs(budget, '26.9.0');
  const undone = await refused(
    world,
    6,
    'change-undone',
    'rollback',
    'actual',
    '--data',
    'now',
    '--ack',
    'data-format',
  );
  expect(undone).toMatchObject({ outcome: 'undone', changed: false });
  expect(undone.error.message).toContain('Missing migration file');
  await answersAs(budget, '26.9.0');
  expect(await files(budget)).toEqual(['holiday: the budget of now', 'household: the budget of before']);
};

interface Budget {
  readonly world: Scenario;
  readonly web: string;
  readonly token: string;
}

interface File {
  readonly id: string;
  readonly name: string;
}

const household: File = { id: '11111111-2222-4333-8444-555555555555', name: 'household' };
const holiday: File = { id: '66666666-7777-4888-8999-aaaaaaaaaaaa', name: 'holiday' };
/** One that 26.9.0 brings, and 25.6.0 does not know. */
const migration = 'server-global-prefs';

/** 25.6.0, with the generated password in place, and somebody logged in with it. */
const installed = async (): Promise<Budget> => {
  const world = await scenario(releases);
  const webPort = await freePort();
  const web = `http://127.0.0.1:${webPort}`;
  const done = await change(world, 'install', 'actual@25.6.0', ...set({ webPort }));
  expect(done).toMatchObject({ outcome: 'installed', instance: { urls: { web } } });
  const needs = await (await fetch(`${web}/account/needs-bootstrap`)).json();
  expect(needs, 'no stranger can choose the first password').toMatchObject({ data: { bootstrapped: true } });
  expect((await logIn(web, 'a guess')).status).toBe(400);
  const login = await logIn(web, readFileSync(world.path('instances/actual/secrets/webPassword'), 'utf8').trim());
  const { data } = (await login.json()) as { data: { token: string } };
  const budget = { world, web, token: data.token };
  await answersAs(budget, '25.6.0');
  return budget;
};

const logIn = (web: string, password: string): Promise<Response> =>
  fetch(`${web}/account/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ loginMethod: 'password', password }),
  });

const answersAs = async ({ world, web }: Budget, version: string): Promise<void> => {
  await expectHealthy(world, 'actual', version);
  expect(await (await fetch(`${web}/info`)).json()).toMatchObject({ build: { version } });
};

/** Uploads a budget as the client does. */
const keep = async ({ web, token }: Budget, { id, name }: File, content: string): Promise<void> => {
  const answer = await fetch(`${web}/sync/upload-user-file`, {
    method: 'POST',
    headers: {
      'x-actual-token': token,
      'x-actual-file-id': id,
      'x-actual-name': name,
      'x-actual-format': '2',
      'content-type': 'application/encrypted-file',
    },
    body: content,
  });
  expect(await answer.json()).toMatchObject({ status: 'ok' });
};

/** `name: content` of every budget that the server lists and hands out to who logged in before the upgrade. */
const files = async ({ web, token }: Budget): Promise<string[]> => {
  const list = await fetch(`${web}/sync/list-user-files`, { headers: { 'x-actual-token': token } });
  const { data } = (await list.json()) as { data: { fileId: string; name: string }[] };
  const texts = data.map(async ({ fileId, name }) => {
    const headers = { 'x-actual-token': token, 'x-actual-file-id': fileId };
    return `${name}: ${await (await fetch(`${web}/sync/download-user-file`, { headers })).text()}`;
  });
  return (await Promise.all(texts)).sort();
};

/** What the server has written down of the migrations that were made. */
const migrations = (world: Scenario): string => readFileSync(world.path('instances/actual/data/.migrate'), 'utf8');

const namesBelow = (folder: string): string => readdirSync(folder, { recursive: true }).join('\n');
