/**
 * Node-RED, installed, upgraded and rolled back for real: flows survive, and its own telemetry stays off although a yes that somebody gave
 * in the editor would beat each of its switches. Its first ping would come 30 minutes behind a start, so nothing is sent here.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectRehearsed } from '../support/rehearsed.ts';
import { freePort } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { change, expectHealthy, set } from '../support/steps.ts';

it.concurrent('keeps flows, and keeps its own telemetry off, whatever is stored', async ({ onTestFinished }) => {
  const world = await scenario(['node-red@4.1.15', 'node-red@5.0.7'], onTestFinished);
  const editor: Editor = { world, web: `http://127.0.0.1:${await freePort()}` };
  const webPort = Number(new URL(editor.web).port);
  const installed = await change(world, 'install', 'node-red@4.1.15', ...set({ webPort }));
  expect(installed).toMatchObject({ outcome: 'installed', instance: { urls: { web: editor.web } } });
  await staysOff(editor, '4.1.15');
  await refusesStrangers(editor);
  await deploy(editor, 'hello');
  expect(await hello(editor)).toBe('hello');

  await sayYesInEditor(editor);
  const upgraded = await change(world, 'upgrade', 'node-red');
  expect(upgraded).toMatchObject({ outcome: 'upgraded' });
  expectRehearsed(upgraded);
  await staysOff(editor, '5.0.7');
  expect(await hello(editor)).toBe('hello');

  await sayYesInEditor(editor);
  const status = await world.json(['status', 'node-red']);
  expect(status.document.instance.ownTelemetry, 'a server that does not obey is found').toMatchObject({
    obeyed: false,
  });
  const doctor = await world.json(['doctor', 'node-red']);
  expect(doctor.exit).toBe(3);
  expect(doctor.document.findings.map(({ id }: { id: string }) => id)).toContain('own-telemetry');
  expect((await world.run(['restart', 'node-red'])).exit).toBe(0);
  await staysOff(editor, '5.0.7');
  expect((await world.json(['doctor', 'node-red'])).document.findings).toEqual([]);

  await deploy(editor, 'hello from 5');
  await sayYesInEditor(editor);
  expect(await change(world, 'rollback', 'node-red')).toMatchObject({ outcome: 'rolled-back' });
  await staysOff(editor, '4.1.15');
  expect(await hello(editor), 'the flows of now').toBe('hello from 5');

  await deploy(editor, 'hello from 4');
  await sayYesInEditor(editor);
  await change(world, 'rollback', 'node-red', '--data', 'then');
  await staysOff(editor, '5.0.7');
  expect(await hello(editor), 'the flows of then').toBe('hello from 5');
});

it.concurrent('starts off with data that says yes', async ({ onTestFinished }) => {
  const world = await scenario(['node-red@5.0.7'], onTestFinished);
  const editor: Editor = { world, web: `http://127.0.0.1:${await freePort()}` };
  const install = ['install', 'node-red@5.0.7', ...set({ webPort: Number(new URL(editor.web).port) })];
  await change(world, ...install);
  await change(world, 'uninstall', 'node-red');
  const stored = runtimeFile(world);
  writeFileSync(stored, JSON.stringify({ ...JSON.parse(readFileSync(stored, 'utf8')), telemetryEnabled: true }));
  await change(world, ...install);
  await staysOff(editor, '5.0.7');
});

interface Editor {
  readonly world: Scenario;
  readonly web: string;
}

const runtimeFile = (world: Scenario): string => world.path('instances/node-red/data/.config.runtime.json');

/** Off in the file and off as the running server tells it, to the admin who is logged in. */
const staysOff = async (editor: Editor, version: string): Promise<void> => {
  await expectHealthy(editor.world, 'node-red', version);
  expect(JSON.parse(readFileSync(runtimeFile(editor.world), 'utf8'))).toMatchObject({ telemetryEnabled: false });
  expect(await settings(editor)).toMatchObject({ version, telemetryEnabled: false });
};

/** As the editor's dialog does it: the server obeys at once, and stores it. */
const sayYesInEditor = async (editor: Editor): Promise<void> => {
  const answer = await admin(editor, '/settings/user', { telemetryEnabled: true });
  expect(answer.status).toBe(204);
  expect(await settings(editor)).toMatchObject({ telemetryEnabled: true });
};

const deploy = async (editor: Editor, text: string): Promise<void> => {
  const z = 'tab';
  const flows = [
    { id: z, type: 'tab', label: 'A flow' },
    { id: 'in', type: 'http in', z, url: '/hello', method: 'get', wires: [['text']] },
    { id: 'text', type: 'template', z, field: 'payload', template: text, wires: [['out']] },
    { id: 'out', type: 'http response', z, wires: [] },
  ];
  expect((await admin(editor, '/flows', { flows }, { 'Node-RED-API-Version': 'v2' })).status).toBe(200);
  await eventually(async () => expect(await hello(editor)).toBe(text));
};

const hello = async ({ web }: Editor): Promise<string> => (await fetch(`${web}/hello`)).text();

const settings = async (editor: Editor): Promise<unknown> => (await admin(editor, '/settings')).json();

/** Asks the admin API with the generated password; a body makes it a POST. */
const admin = async (
  editor: Editor,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> => {
  const login = await logIn(
    editor,
    readFileSync(editor.world.path('instances/node-red/secrets/webPassword'), 'utf8').trim(),
  );
  const { access_token: token } = (await login.json()) as { access_token: string };
  return fetch(editor.web + path, {
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
};

const logIn = ({ web }: Editor, password: string): Promise<Response> =>
  fetch(`${web}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: 'node-red-admin',
      grant_type: 'password',
      scope: '*',
      username: 'admin',
      password,
    }),
  });

const refusesStrangers = async (editor: Editor): Promise<void> => {
  expect((await fetch(`${editor.web}/flows`)).status).toBe(401);
  expect((await logIn(editor, 'password')).status).toBe(403);
};
