/** The gate against servers that are good, late, dying, of another version, or not the ones that were started. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkOnce } from '../../src/service/health/checks.ts';
import { gate } from '../../src/service/health.ts';
import { processSupervisor } from '../../src/service/process.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { identify } from '../../src/system/processes.ts';
import type { Version } from '../../src/values.ts';
import { eventually, httpCheck, smtpCheck, type TestService, testService } from '../support/service.ts';

const watch = async (spec: ServiceSpec) => {
  await processSupervisor.start(spec);
  return gate(processSupervisor, spec);
};

const withHttp = (
  service: TestService,
  check: Partial<ReturnType<typeof httpCheck>> | Record<string, unknown>,
): ServiceSpec => service.with({ health: { stableSeconds: 1, checks: [{ ...httpCheck(service.port), ...check }] } });

test('a good server is healthy after it has been good for the time it should', async () => {
  const { spec } = await testService();
  const seen: number[] = [];
  await processSupervisor.start(spec);
  const report = await gate(processSupervisor, spec, { onStable: (seconds) => seen.push(seconds) });
  expect(report).toMatchObject({ healthy: true, checks: [{ ok: true, detail: 'it answers 200' }] });
  expect(report.waitedMs).toBeGreaterThanOrEqual(1000);
  expect(report.firstGoodMs).toBeLessThan(report.waitedMs - 900);
  expect(seen.length).toBeGreaterThanOrEqual(2);
  expect(seen.at(-1)).toBe(1);
});

test('a late server is waited for', async () => {
  const { spec } = await testService('web.mjs', ['late=3000']);
  const report = await watch(spec);
  expect(report.healthy).toBe(true);
  expect(report.firstGoodMs).toBeGreaterThan(2500);
});

test('a server that never answers well is unhealthy when its time is over', async () => {
  const service = await testService();
  const spec = { ...withHttp(service, { status: 204 }), startSeconds: 3 };
  // On a busy machine its start alone may take longer than that.
  await processSupervisor.start(spec);
  await eventually(() => fetch(`http://127.0.0.1:${service.port}/`));
  const report = await gate(processSupervisor, spec);
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/not healthy within 3 s: GET http.*: it answers 200, not 204/);
});

test('a last look that the end cuts short does not hide why the looks before it were bad', async () => {
  const service = await testService();
  const mark = join(service.spec.directory, 'looked');
  const script = `test -e ${mark} && exec sleep 30; touch ${mark}; echo nobody answers >&2; exit 1`;
  const check = { kind: 'command' as const, command: ['/bin/sh', '-c', script], stdout: null };
  const spec = { ...service.with({ health: { stableSeconds: 1, checks: [check] } }), startSeconds: 4 };
  const report = await watch(spec);
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/^not healthy within 4 s: .*it ends with 1: nobody answers$/);
});

test('a server that dies at once is unhealthy at once, long before its time is over', async () => {
  const { with: change } = await testService('web.mjs', ['crash']);
  const report = await watch(change({ startSeconds: 3600 }));
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/died/);
});

test('a server that dies while it is watched is unhealthy at once', async () => {
  const { with: change, port } = await testService('web.mjs', ['die-after=1500']);
  const report = await watch(
    change({ startSeconds: 3600, health: { stableSeconds: 3600, checks: [httpCheck(port)] } }),
  );
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/died/);
});

test('a server that refuses because it is dying is said to have died', async () => {
  const { with: change, port } = await testService('web.mjs', ['die-after=1500', 'closing=300']);
  const report = await watch(
    change({ startSeconds: 3600, health: { stableSeconds: 3600, checks: [httpCheck(port)] } }),
  );
  expect(report).toMatchObject({ healthy: false, reason: expect.stringMatching(/died/) });
});

test('a server that answers well for half a second only is unhealthy', async () => {
  const { spec } = await testService('web.mjs', ['good-for=500']);
  const report = await watch(spec);
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/it answers 503, not 200/);
});

test.each([
  ['1.0.0', true],
  ['v1.0.0', true],
  ['0.9.0', false],
])('a server that tells version %s: %s', async (version, healthy) => {
  const service = await testService('web.mjs', [`version=${version}`]);
  const spec = {
    ...withHttp(service, { url: `http://127.0.0.1:${service.port}/version`, versionPath: 'build.version' }),
    startSeconds: healthy ? 20 : 6,
  };
  const report = await watch(spec);
  expect(report).toMatchObject({ healthy, version });
  if (!healthy) expect(report.reason).toMatch(/tells version 0\.9\.0, not 1\.0\.0/);
});

test('the process of before is not taken for the new one', async () => {
  const service = await testService();
  const spec = service.with({ startSeconds: 1 });
  await processSupervisor.start(spec);
  const { main } = await processSupervisor.observe(spec);
  const report = await gate(processSupervisor, spec, { before: main });
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/the process of before still runs/);
});

test('a port that a stranger answers on is not health', async () => {
  const service = await testService('web.mjs', ['late=60000']);
  const stranger = spawn(process.execPath, [resolve('test/fixtures/servers/web.mjs'), String(service.port)], {
    cwd: service.paths.home,
  });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  await eventually(async () => expect((await checkOnce(service.spec)).healthy).toBe(true));
  const report = await watch(service.with({ startSeconds: 3 }));
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/answered by another process/);
});

test('a login is sent from the file of the secret, and never told', async () => {
  const service = await testService('web.mjs', ['password=s3cret']);
  const secretFile = `${service.paths.secrets}/webPassword`;
  writeFileSync(secretFile, 's3cret\n');
  expect(await watch(withHttp(service, { login: { user: 'admin', secretFile } }))).toMatchObject({ healthy: true });
  writeFileSync(secretFile, 'wrong\n');
  const report = await checkOnce(withHttp(service, { login: { user: 'admin', secretFile } }));
  expect(report.reason).toMatch(/it answers 401/);
  expect(JSON.stringify(report)).not.toContain('wrong');
});

test.each([
  [{ body: '^hello from \\d+$' }, undefined],
  [{ body: '^goodbye' }, /does not match/],
  [{ json: { path: 'a.b', equals: 1 } }, /is no JSON/],
])('the answer is judged by %j', async (check, reason) => {
  const service = await testService();
  await processSupervisor.start(service.spec);
  await eventually(async () => expect((await checkOnce(service.spec)).healthy).toBe(true));
  const report = await checkOnce(withHttp(service, check));
  if (reason === undefined) expect(report.healthy).toBe(true);
  else expect(report.reason).toMatch(reason);
});

test('SMTP: a whole conversation, and the version of the greeting', async () => {
  const { spec, with: change, port } = await testService('smtp.mjs', ['version=1.0.0']);
  expect(
    await watch(change({ health: { stableSeconds: 1, checks: [{ ...smtpCheck(port), domain: 'example.org' }] } })),
  ).toMatchObject({
    healthy: true,
    version: '1.0.0',
    checks: [{ title: `SMTP 127.0.0.1:${port}` }],
  });
  expect(spec.ports).toEqual([port]);
});

test('SMTP: a server that dies of its first caller is unhealthy', async () => {
  const { with: change } = await testService('smtp.mjs', ['die-at-first']);
  const report = await watch(change({ startSeconds: 3600 }));
  expect(report).toMatchObject({ healthy: false });
  expect(report.reason).toMatch(/died/);
});

test('SMTP: a mail that is refused is told with the reply', async () => {
  const { with: change, port } = await testService('smtp.mjs', ['refuse-rcpt']);
  const checks = [{ ...smtpCheck(port), domain: 'example.org' }];
  const report = await watch(change({ startSeconds: 6, health: { stableSeconds: 1, checks } }));
  expect(report.reason).toMatch(/RCPT TO:<postmaster@example\.org> gives 550 no relaying/);
});

test('a command is run with the environment of the server, as its user', async () => {
  const service = await testService();
  const command = ['/bin/sh', '-c', 'echo "$HOME $(id -u)"'];
  const uid = service.spec.account?.uid ?? process.getuid?.();
  const check = (stdout: string | null, words = command) =>
    checkOnce(
      service.with({
        version: '1.0.0' as Version,
        health: { stableSeconds: 1, checks: [{ kind: 'command', command: words, stdout }] },
      }),
    );
  expect(await check(`^${service.paths.data} ${uid}$`.replace('$', '\\s*$'))).toMatchObject({ healthy: true });
  expect((await check('^nothing')).reason).toMatch(/does not match/);
  expect((await check(null, ['/bin/sh', '-c', 'echo broken >&2; exit 2'])).reason).toMatch(/ends with 2: broken/);
  expect((await check(null, ['/no/such/program'])).healthy).toBe(false);
});

test('a command whose child goes its own way with its output is waited for no longer than its time', async () => {
  const service = await testService();
  const file = join(service.spec.directory, 'pid');
  const command = ['/bin/sh', '-c', `setsid sleep 60 & echo $! >${file}`];
  const checks = [{ kind: 'command' as const, command, stdout: null }];
  const report = await checkOnce(service.with({ health: { stableSeconds: 1, checks } }), 500);
  const child = identify(Number(readFileSync(file, 'utf8')));
  if (child !== undefined) process.kill(child.pid, 'SIGKILL');
  expect(child, 'it was waited for').toBeDefined();
  expect(report).toMatchObject({ healthy: false, reason: expect.stringMatching(/no end within 500 ms: .*holds its/) });
});
