/** A server's own telemetry: files edited as the service's user, and the running server asked what it really does. */
import { chownSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyOwnTelemetry, readBackTelemetry } from '../../src/service/own-telemetry.ts';
import { processSupervisor } from '../../src/service/process.ts';
import type { ServiceTelemetry } from '../../src/service/spec-telemetry.ts';
import { asRoot } from '../support/sandbox.ts';
import { account, eventually, type TestService, testService } from '../support/service.ts';

const withTelemetry = (service: TestService, changes: Partial<ServiceTelemetry> = {}) => {
  const file = join(service.paths.data, 'state.json');
  const ownTelemetry: ServiceTelemetry = {
    summary: 'usage, to its maker',
    on: false,
    edits: [{ file, set: { telemetryEnabled: false } }],
    environment: {},
    readBack: {
      from: { url: `http://127.0.0.1:${service.port}/state`, headers: {}, login: null },
      path: 'telemetryEnabled',
      off: false,
      on: true,
    },
    restart: false,
    ...changes,
  };
  const put = (text: string): void => {
    writeFileSync(file, text);
    if (account !== null) chownSync(file, account.uid, account.gid);
  };
  return {
    spec: service.with({ ownTelemetry }),
    file,
    put,
    read: () => JSON.parse(readFileSync(file, 'utf8')) as unknown,
  };
};

test("a stored yes is taken back before the start, other keys stay, and the file stays its owner's", async () => {
  const { spec, file, put, read } = withTelemetry(await testService());
  put('{"telemetryEnabled":true,"other":{"a":[1,2]}}');
  await processSupervisor.start(spec);
  expect(read()).toEqual({ telemetryEnabled: false, other: { a: [1, 2] } });
  if (account !== null) expect(statSync(file)).toMatchObject({ uid: account.uid, gid: account.gid });
  await eventually(async () =>
    expect(await readBackTelemetry(spec)).toMatchObject({ obeyed: true, detail: expect.stringContaining('kept off') }),
  );
});

test('a server that turns it on again is seen', async () => {
  const { spec, put } = withTelemetry(await testService());
  await processSupervisor.start(spec);
  await eventually(async () => expect(await readBackTelemetry(spec)).toMatchObject({ obeyed: true }));
  put('{"telemetryEnabled":true}');
  expect(await readBackTelemetry(spec)).toEqual({
    obeyed: false,
    detail: 'not off: the server tells telemetryEnabled = true',
  });
});

test('after a yes to its own section it is turned on, and read back as such', async () => {
  const service = await testService();
  const file = join(service.paths.data, 'state.json');
  const { spec, read } = withTelemetry(service, { on: true, edits: [{ file, set: { telemetryEnabled: true } }] });
  await processSupervisor.start(spec);
  expect(read()).toEqual({ telemetryEnabled: true });
  await eventually(async () =>
    expect(await readBackTelemetry(spec)).toMatchObject({ obeyed: true, detail: expect.stringContaining('kept on') }),
  );
});

test('nothing is written where nothing is to change', async () => {
  const { spec, file, put } = withTelemetry(await testService());
  put('{  "telemetryEnabled" : false }');
  const before = statSync(file).ino;
  await applyOwnTelemetry(spec);
  expect(statSync(file).ino).toBe(before);
  expect(readFileSync(file, 'utf8')).toBe('{  "telemetryEnabled" : false }');
});

test.each([
  ['{"broken', { telemetryEnabled: false }, '{"broken'],
  ['[1]', { telemetryEnabled: false }, '[1]'],
])('a file that is no object (%j) is set aside, not lost', async (text, expected, aside) => {
  const { spec, file, put, read } = withTelemetry(await testService());
  put(text);
  await applyOwnTelemetry(spec);
  expect(read()).toEqual(expected);
  expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(aside);
});

test('keys joined by dots reach into the document, folders that are missing are made', async () => {
  const service = await testService();
  const file = join(service.paths.data, 'deep/er/state.json');
  const { spec } = withTelemetry(service, { edits: [{ file, set: { 'a.b.c': 'off', 'a.d': null } }] });
  await applyOwnTelemetry(spec);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: { b: { c: 'off' }, d: null } });
});

test("as root nothing is written that the service's user could not write itself", async ({ skip }) => {
  asRoot(skip);
  const { spec, file, paths } = { ...withTelemetry(await testService()), paths: (await testService()).paths };
  const precious = join(paths.home, 'precious.json');
  writeFileSync(precious, '{"telemetryEnabled":true}', { mode: 0o600 });
  symlinkSync(precious, file);
  await expect(applyOwnTelemetry(spec)).rejects.toThrow(/EACCES/);
  expect(readFileSync(precious, 'utf8')).toBe('{"telemetryEnabled":true}');
});

test('a server that can not be put in order is not started', async () => {
  const service = await testService();
  const { spec } = withTelemetry(service, {
    edits: [{ file: join(service.paths.data, 'a-file/state.json'), set: { telemetryEnabled: false } }],
  });
  writeFileSync(join(service.paths.data, 'a-file'), '');
  await processSupervisor.start(spec);
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'failed' });
  expect(existsSync(join(service.paths.data, 'ids.json'))).toBe(false);
});

test('a server that does not answer, or does not tell, is unknown; one without telemetry is nothing', async () => {
  const service = await testService();
  const { spec, put } = withTelemetry(service, { edits: [] });
  expect(await readBackTelemetry(spec)).toMatchObject({
    obeyed: 'unknown',
    detail: expect.stringMatching(/could not be asked/),
  });
  put('{"another":1}');
  await processSupervisor.start(spec);
  await eventually(async () =>
    expect(await readBackTelemetry(spec)).toMatchObject({ detail: 'the server does not tell telemetryEnabled' }),
  );
  expect(await readBackTelemetry({ ...spec, ownTelemetry: null })).toBeUndefined();
});

test("a file is read back as the service's user", async () => {
  const service = await testService();
  const file = join(service.paths.data, 'state.json');
  const { spec, put } = withTelemetry(service, {
    readBack: { from: { file }, path: 'telemetryEnabled', off: false, on: true },
  });
  put('{"telemetryEnabled":false}');
  expect(await readBackTelemetry(spec)).toMatchObject({ obeyed: true });
});
