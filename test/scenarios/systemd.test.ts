/** The systemd supervisor against a real systemd: system units as root, user units as somebody else, and systemd's own parser. */
import { chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instancePaths } from '../../src/instance/paths.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import type { InstanceName } from '../../src/values.ts';
import { environmentFileSample } from '../support/environment-file.ts';
import { type Box, bootBox, whyNoBox } from '../support/nspawn.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { eventually, httpCheck, makeService } from '../support/service.ts';

/** In the box, where no unit hides them: the clone may lie below /tmp or a home, and units see nothing of either. */
const servers = '/opt/servers';
const nodeFolder = '/opt/node';
const node = join(nodeFolder, basename(process.execPath));

const why = whyNoBox();
if (why !== undefined) console.log(`skipped: units under a real systemd, for ${why}`);

let box: Box;
let home: string;
let aliceHome: string;
let ports: number[];

beforeAll(async () => {
  if (why !== undefined) return;
  [home, aliceHome] = [makeSandbox(), makeSandbox()];
  ports = await freePorts(4);
  box = await bootBox([
    { from: home, to: '/var/lib/assent' },
    { from: home, to: '/tmp/assent' },
    { from: aliceHome, to: '/home/alice/assent' },
    { from: resolve('test/fixtures/servers'), to: servers, readOnly: true },
    { from: dirname(process.execPath), to: nodeFolder, readOnly: true },
  ]);
});

afterAll(async () => {
  await box?.stop();
  for (const folder of [home, aliceHome]) if (folder !== undefined) removeSandbox(folder);
});

interface Reply {
  call: string;
  result?: unknown;
  error?: string;
  ms: number;
}

/** The supervisor is called inside of the box, by the same code. */
const drive = (spec: ServiceSpec, calls: string[], uid = 0): Reply[] => {
  const { stdout, stderr, code } = box.run([process.execPath, resolve('test/support/systemd-driver.ts')], {
    uid,
    input: JSON.stringify({ spec, calls }),
  });
  expect(code, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Reply);
};

const results = (spec: ServiceSpec, calls: string[], uid = 0): unknown[] =>
  drive(spec, calls, uid).map(({ call, result, error }) => (error === undefined ? result : `${call}: ${error}`));

/** A spec whose folders lie in the sandbox here, and at another path in the box. */
const specInBox = (
  port: number,
  flags: string[] = [],
  at = '/var/lib/assent',
  changes: Partial<ServiceSpec> = {},
): ServiceSpec => {
  const here = makeService(home, port, 'web.mjs', flags);
  const paths = instancePaths(at, 'mail' as InstanceName);
  const environment = { ...here.spec.environment, HOME: paths.data };
  return {
    ...here.spec,
    command: [node, join(servers, 'web.mjs'), String(port), ...flags],
    paths,
    environment,
    directory: paths.data,
    health: { stableSeconds: 1, checks: [httpCheck(port)] },
    ...changes,
  };
};

describe.skipIf(why !== undefined)('system units', () => {
  test.each(['/var/lib/assent', '/tmp/assent'])('installed, started, healthy, stopped and removed: %s', (at) => {
    const spec = specInBox(ports[0]!, [], at);
    const [kind, installed, started, report, observed, logs, , stopped, , , files, left] = results(spec, [
      ...[
        'detect',
        'install',
        'start',
        'gate',
        'observe',
        'logs',
        'stop',
        'observe',
        'stop',
        'remove',
        'describe',
        'observe',
      ],
    ]);
    expect([kind, installed, started]).toEqual(['systemd', null, null]);
    expect(report).toMatchObject({ healthy: true });
    expect(observed).toMatchObject({ state: 'running', restarts: 0 });
    expect((logs as string[]).join('\n')).toMatch(/listening as \d+/);
    expect(stopped).toEqual({ state: 'stopped', restarts: 0 });
    expect(files).toEqual(['/etc/systemd/system/assent-mail.service']);
    expect(left).toEqual({ state: 'stopped', restarts: 0 });
    expect(box.run(['ls', '/etc/systemd/system/multi-user.target.wants']).stdout).not.toContain('assent');
  });

  test('it runs as the account, shut in, with the environment of the spec', () => {
    const spec = specInBox(ports[0]!);
    expect(results(spec, ['install', 'start', 'gate'])[2]).toMatchObject({ healthy: true });
    const at = join(home, 'instances/mail/data');
    expect(JSON.parse(readFileSync(join(at, 'ids.json'), 'utf8'))).toMatchObject({
      uid: 65534,
      gid: 65534,
      groups: [65534],
    });
    const environment = JSON.parse(readFileSync(join(at, 'environment.json'), 'utf8')) as Record<string, string>;
    expect(environment).toMatchObject(spec.environment);
    expect(Object.keys(environment).filter((name) => /NOTIFY|NODE_OPTIONS|LD_/.test(name))).toEqual([]);
    const pid = (results(spec, ['observe'])[0] as { main: { pid: number } }).main.pid;
    const status = box.run(['cat', `/proc/${pid}/status`]).stdout;
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    const isEnabled = (): string => box.run(['systemctl', 'is-enabled', 'assent-mail']).stdout;
    expect(isEnabled()).toBe('enabled\n');
    expect(results(spec, ['atBoot'])).toEqual([null]);
    expect(isEnabled()).toBe('disabled\n');
    expect(results(spec, ['remove', 'atBoot'])).toEqual([null, null]);
  });

  test('a server that is killed is started again; the gate sees it at once', async () => {
    const spec = specInBox(ports[0]!);
    const [, , , observed] = results(spec, ['install', 'start', 'gate', 'observe']) as { main: { pid: number } }[];
    box.kill(observed!.main.pid);
    await eventually(() => expect(results(spec, ['observe'])[0]).toMatchObject({ state: 'running', restarts: 1 }));
    expect(results(spec, ['observe', 'remove'])[0]).not.toMatchObject({ main: { pid: observed!.main.pid } });
    const dying = specInBox(ports[0]!, ['die-after=500'], '/var/lib/assent', {
      ...{ startSeconds: 3600, health: { stableSeconds: 3600, checks: [httpCheck(ports[0]!)] } },
    });
    const [, , report] = results(dying, ['install', 'start', 'gate', 'remove']) as {
      healthy: boolean;
      reason: string;
    }[];
    expect(report).toMatchObject({ healthy: false, reason: expect.stringMatching(/died/) });
  });

  test('a stop ends everything that the server started, also what ignores its signal', () => {
    const spec = specInBox(ports[0]!, ['ignore-term', 'grandchild'], '/var/lib/assent', { stopSeconds: 1 });
    expect(results(spec, ['install', 'start', 'gate'])[2]).toMatchObject({ healthy: true });
    const grandchild = readFileSync(join(home, 'instances/mail/data/grandchild.pid'), 'utf8');
    expect(box.run(['kill', '-0', grandchild]).code).toBe(0);
    const [stopped] = drive(spec, ['stop']);
    expect(stopped!.error).toBeUndefined();
    expect(stopped!.ms).toBeLessThan(9000);
    expect(box.run(['kill', '-0', grandchild]).code).not.toBe(0);
    expect(results(spec, ['remove'])).toEqual([null]);
  });

  test('a server that can not be started is a failure that says so', () => {
    const spec = specInBox(ports[0]!, [], '/var/lib/assent', { command: ['/no/such/program'] });
    const [, started] = results(spec, ['install', 'start', 'remove']);
    expect(started).toMatch(/^start: systemctl start assent-mail.service failed/);
  });

  test('an environment file means to systemd what it means to us', async () => {
    const environmentFile = '/var/lib/assent/instances/mail/config/server.env';
    const spec = specInBox(ports[0]!, [], '/var/lib/assent', { environmentFile });
    writeFileSync(join(home, 'instances/mail/config/server.env'), environmentFileSample.text);
    expect(results(spec, ['install', 'start', 'gate'])[2]).toMatchObject({ healthy: true });
    const seen = JSON.parse(readFileSync(join(home, 'instances/mail/data/environment.json'), 'utf8'));
    expect(seen).toMatchObject(environmentFileSample.pairs);
    expect(results(spec, ['remove'])).toEqual([null]);
  });

  test('300 awkward words and values come through systemd as they are', async () => {
    let seed = 20_26;
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    const pieces = [
      '%',
      '%n',
      '%%',
      '$',
      '$$',
      '$HOME',
      '${HOME}',
      '"',
      "'",
      '\\',
      '\\n',
      '\n',
      '\t',
      ' ',
      ';',
      '#',
      'a',
      'ü€😀',
      '=',
      '-',
      '@',
      '!',
      '+',
      ':',
      '|',
      '~',
      '*',
      '\u0001',
      '\u007f',
      '\u2028',
    ];
    const word = (): string => Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join('');
    for (let round = 0; round < 3; round += 1) {
      const words = Array.from({ length: 100 }, word);
      const values = Object.fromEntries(words.map((value, index) => [`V${index}`, value]));
      const base = specInBox(ports[0]!);
      const spec = {
        ...base,
        command: [node, join(servers, 'words.mjs'), ...words],
        environment: { ...base.environment, ...values },
      };
      rmSync(join(home, 'instances/mail/data/words.json'), { force: true });
      expect(results(spec, ['install', 'start'])).toEqual([null, null]);
      const seen = await eventually(() =>
        JSON.parse(readFileSync(join(home, 'instances/mail/data/words.json'), 'utf8')),
      );
      expect(seen.words).toEqual(words);
      expect(seen.environment).toMatchObject(values);
      expect(results(spec, ['remove'])).toEqual([null]);
    }
  });
});

describe.skipIf(why !== undefined)('user units', () => {
  const aliceSpec = (flags: string[] = []): ServiceSpec => {
    const { spec } = makeService(aliceHome, ports[1]!, 'web.mjs', flags);
    const paths = instancePaths('/home/alice/assent', 'mail' as InstanceName);
    const folders = [
      '',
      'instances',
      'instances/mail',
      ...['data', 'logs', 'run'].map((part) => `instances/mail/${part}`),
    ];
    for (const folder of folders) chownSync(join(aliceHome, folder), 1000, 1000);
    return {
      ...spec,
      paths,
      account: null,
      environment: { ...spec.environment, HOME: paths.data },
      directory: paths.data,
      host: { ...spec.host, uid: 1000, gid: 1000, home: '/home/alice', userUnits: '/home/alice/.config/systemd/user' },
      health: { stableSeconds: 1, checks: [httpCheck(ports[1]!)] },
    };
  };

  test("without a manager of one's own there is no systemd; lingering that is off is named", () => {
    const spec = aliceSpec();
    expect(results(spec, ['detect'], 1000)).toEqual(['process']);
    expect(results(spec, ['warnings'], 1000)).toEqual([
      [
        expect.objectContaining({
          id: 'no-lingering',
          remedy: expect.stringContaining('loginctl enable-linger alice'),
        }),
      ],
    ]);
  });

  test('with lingering: installed, healthy, restarted, stopped and removed', async () => {
    expect(box.run(['loginctl', 'enable-linger', 'alice']).code).toBe(0);
    const spec = aliceSpec();
    await eventually(() => expect(results(spec, ['detect'], 1000)).toEqual(['systemd']));
    const [warnings, , , report, observed] = results(spec, ['warnings', 'install', 'start', 'gate', 'observe'], 1000);
    expect(warnings).toEqual([]);
    expect(report).toMatchObject({ healthy: true });
    const { pid } = (observed as { main: { pid: number } }).main;
    expect(box.run(['cat', `/proc/${pid}/status`]).stdout).toMatch(/^Seccomp:\t2$/m);
    box.kill(pid);
    await eventually(() =>
      expect(results(spec, ['observe'], 1000)[0]).toMatchObject({ state: 'running', restarts: 1 }),
    );
    const [stopped, after, removed, files] = results(spec, ['stop', 'observe', 'remove', 'describe'], 1000);
    expect([stopped, after, removed]).toEqual([null, expect.objectContaining({ state: 'stopped' }), null]);
    expect(box.run(['ls', (files as string[])[0]!]).code).not.toBe(0);
  });
});
