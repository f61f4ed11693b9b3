/** DO_NOT_TRACK of a server that systemd starts, or would start: drop-ins, environment files, and the process itself where it can be seen. */
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mayCount } from '../../src/consent/gather.ts';
import { writeRecord } from '../../src/service/process-record.ts';
import { serverVetoOf } from '../../src/service/server-veto.ts';
import { dropInFolders, unitEnvironment } from '../../src/service/unit-environment.ts';
import { identify } from '../../src/system/processes.ts';
import { findUser } from '../../src/system/users.ts';
import { conduct, type Home, inMemory, makeHome, sure, testWorld } from '../consent/support.ts';
import { environmentFileSample } from '../support/environment-file.ts';
import { asRoot, isRoot, sandbox } from '../support/sandbox.ts';

const put = (file: string, text: string): string => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
const service = (...lines: string[]): string => ['[Service]', ...lines, ''].join('\n');

/** What a unit gets of these drop-ins, by their place below a folder of units. */
const of = (dropIns: Readonly<Record<string, string>>, file: string | null = null, unit = 'assent-mail.service') => {
  const folder = sandbox(inMemory);
  for (const [place, text] of Object.entries(dropIns)) put(join(folder, place), text);
  return unitEnvironment(unit, [join(folder, 'etc'), join(folder, 'run')], file);
};
const override = 'etc/assent-mail.service.d/override.conf';

test.each([
  ['Environment=DO_NOT_TRACK=1', '1'],
  ['Environment = "A=b c" "DO_NOT_TRACK=1" LAST=x', '1'],
  ["Environment=A='DO_NOT_TRACK=2' DO_NOT_TRACK='1'", '1'],
  ['Environment=A=b \\\n  DO_NOT_TRACK=1', '1'],
  ['Environment="DO_NOT_TRACK=a \\"b\\""', 'a "b"'],
  ['Environment=DO_NOT_TRACK=1\nEnvironment=DO_NOT_TRACK=0', '0'],
  ['Environment=DO_NOT_TRACK=1\nEnvironment=', undefined],
  ['#Environment=DO_NOT_TRACK=1\n; Environment=DO_NOT_TRACK=1', undefined],
  ['PassEnvironment=DO_NOT_TRACK\n[Unit]\nEnvironment=DO_NOT_TRACK=1', undefined],
])('a drop-in means what it means to systemd: %j', (lines, value) => {
  expect(of({ [override]: service(lines) })['DO_NOT_TRACK']).toBe(value);
});

test('drop-ins count by their name, an earlier folder hides a namesake, and those for all units count as well', () => {
  const says = (value: string) => service(`Environment=DO_NOT_TRACK=${value}`);
  const [mail, run] = ['etc/assent-mail.service.d', 'run/assent-mail.service.d'];
  expect(of({ [`${mail}/20.conf`]: says('b'), [`${run}/10.conf`]: says('a') })).toEqual({ DO_NOT_TRACK: 'b' });
  expect(of({ [`${mail}/10.conf`]: says('a'), [`${run}/20.conf`]: says('b') })).toEqual({ DO_NOT_TRACK: 'b' });
  expect(of({ [`${mail}/10.conf`]: '', [`${run}/10.conf`]: says('b') })).toEqual({});
  expect(of({ 'etc/assent-.service.d/x.conf': says('c') })).toEqual({ DO_NOT_TRACK: 'c' });
  expect(of({ 'run/service.d/x.conf': says('d') })).toEqual({ DO_NOT_TRACK: 'd' });
  expect(of({ 'etc/assent-my-.service.d/x.conf': says('e') }, null, 'assent-my-mail.service')).not.toEqual({});
  expect(of({ 'etc/assent-other.service.d/x.conf': says('e'), [`${mail}/x.txt`]: says('e') })).toEqual({});
});

test('environment files win over assignments, the last one over all, and an empty one clears them', () => {
  const files = sandbox(inMemory);
  const own = put(join(files, 'own.env'), environmentFileSample.text);
  const more = put(join(files, 'more.env'), 'PLAIN=more\nDO_NOT_TRACK=1\n');
  expect(of({ [override]: service('Environment=PLAIN=x') }, own)).toEqual(environmentFileSample.pairs);
  expect(of({ [override]: service(`EnvironmentFile=-${more}`) }, own)).toMatchObject({ PLAIN: 'more', TWO: 'ab' });
  expect(of({ [override]: service('EnvironmentFile=', 'EnvironmentFile=/nowhere/at/all') }, own)).toEqual({});
});

/** Mail with a yes, which systemd starts for a user whose units lie in a folder of the test's. */
const underSystemd = async (): Promise<{ home: Home; dropIn: string; serverEnv: string }> => {
  const folder = sandbox(inMemory);
  const user = { ...testWorld().user, uid: isRoot ? 1234 : testWorld().user.uid };
  const home = makeHome(join(folder, 'home'), { world: testWorld({ env: { HOME: folder }, user }) });
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  const { paths } = home;
  const state = JSON.parse(readFileSync(paths.state, 'utf8'));
  writeFileSync(paths.state, JSON.stringify({ ...state, supervisor: 'systemd' }));
  const { product, version, digest } = state.release;
  const sealed = { name: product, releases: [{ version, service: { environmentFile: 'server.env' } }] };
  const seal = { format: 1, product: sealed, version, digest, tree: '0'.repeat(64) };
  put(join(home.folder, 'releases', product, `${version}-${digest}`, 'release.json'), JSON.stringify(seal));
  return {
    home,
    dropIn: join(folder, '.config/systemd/user/assent-mail.service.d/override.conf'),
    serverEnv: join(paths.config, 'server.env'),
  };
};
/** Root's units lie in /etc, where no test writes. */
const give = ({ paths }: Home, uid: number): void => chownSync(paths.folder, uid, uid);

test("a drop-in of the admin's vetoes, for whoever asks", async ({ skip }) => {
  asRoot(skip);
  const { home, dropIn } = await underSystemd();
  give(home, 1234);
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  put(dropIn, service('Environment=DO_NOT_TRACK=1'));
  expect(serverVetoOf(home.world, home.paths)).toBe('1');
  rmSync(dropIn);
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
});

test("drop-ins lie in the owner's folder, wherever those of whoever asks are", () => {
  const { home } = sure(findUser('nobody'));
  const usual = join(home, '.config/systemd/user');
  const env = { HOME: '/home/other', XDG_CONFIG_HOME: '/home/other/settings' };
  const asked = (uid: number) => dropInFolders(testWorld({ env, user: { ...testWorld().user, uid } }), 65534);
  expect(asked(0)).toContain(usual);
  expect(asked(0).join()).not.toContain('/home/other');
  expect(asked(65534).slice(0, 2)).toEqual(['/home/other/settings/systemd/user', usual]);
});

test("a line in the server's environment file vetoes, and takes the yes away from no record", async () => {
  const { home, serverEnv } = await underSystemd();
  const may = () => mayCount(home.world, home.paths, serverVetoOf(home.world, home.paths));
  put(serverEnv, "WEB_USER='a'\n");
  expect(may()).toMatchObject({ collecting: true });
  put(serverEnv, "WEB_USER='a'\nDO_NOT_TRACK=yes\n");
  expect(may()).toMatchObject({ collecting: false, state: 'accepted', reason: 'do-not-track' });
  put(serverEnv, 'DO_NOT_TRACK=0\n');
  expect(may()).toMatchObject({ collecting: true });
});

test('what the running server was started with is the answer, whatever its next start would bring', async () => {
  const { home, serverEnv } = await underSystemd();
  const child = spawn('sleep', ['60'], { env: { PATH: process.env.PATH } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const identity = sure(identify(sure(child.pid)));
  mkdirSync(home.paths.run, { recursive: true });
  const record = { format: 1, supervisor: identity, child: identity, phase: 'running', generation: 1 } as const;
  put(serverEnv, 'DO_NOT_TRACK=1\n');
  expect(serverVetoOf(home.world, home.paths)).toBe('1');
  writeRecord(home.paths, { ...record, digest: '0123456789ab', restarts: 0, lastExit: null });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
});

test('what is damaged, gone or never there says nothing', async () => {
  const { home, serverEnv } = await underSystemd();
  mkdirSync(serverEnv, { recursive: true });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  rmSync(join(home.folder, 'releases'), { recursive: true });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  writeFileSync(home.paths.state, 'x');
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  rmSync(home.paths.folder, { recursive: true });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
});
