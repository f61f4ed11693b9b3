/** DO_NOT_TRACK of a server that systemd starts, or would start: drop-ins, environment files, and the process itself where it can be seen. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { explain } from '../../src/consent/explain.ts';
import { mayCount } from '../../src/consent/gather.ts';
import { writeRecord } from '../../src/service/process-record.ts';
import { findServerVeto, serverVetoOf } from '../../src/service/server-veto.ts';
import { dropInFolders, systemUnits, unitEnvironment } from '../../src/service/unit-environment.ts';
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

const home = '/home/who';

/** What a unit gets of these drop-ins, by their place below a folder of units. */
const read = (dropIns: Readonly<Record<string, string>>, file: string | null = null, unit = 'assent-mail.service') => {
  const folder = sandbox(inMemory);
  for (const [place, text] of Object.entries(dropIns)) put(join(folder, place), text);
  return unitEnvironment({ unit, folders: [join(folder, 'etc'), join(folder, 'run')], home }, file);
};
const of = (...given: Parameters<typeof read>) => read(...given).variables;
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
  expect(of({ [override]: service('EnvironmentFile=', 'EnvironmentFile=-/nowhere/at/all') }, own)).toEqual({});
});

/** What is taken for a veto because it can't be read; null where nothing is, and so vetoes. */
const unseen = (...lines: string[]): string | null => {
  const { variables, unseen } = read({ [override]: service(...lines) });
  expect(variables['DO_NOT_TRACK']).toBe(unseen === null ? undefined : '1');
  return unseen;
};

test('a file that systemd gives the server and that can not be seen is taken for a veto, unless a later one speaks', () => {
  const folder = sandbox(inMemory);
  const says = put(join(folder, 'says.env'), 'DO_NOT_TRACK=0\n');
  const linked = join(folder, 'linked.env');
  symlinkSync('/root/nowhere/at/all', linked);
  for (const path of ['/nowhere/at/all', '/etc/%t.env', '/etc/assent-*.env', '/etc/mail?.env', folder, linked])
    expect(unseen(`EnvironmentFile=${path}`), path).toBe(path);
  for (const path of ['/etc/%t.env', folder, `${says}/below`, linked])
    expect(unseen(`EnvironmentFile=-${path}`), path).toBe(path === `${says}/below` ? null : path);
  expect(unseen('EnvironmentFile=-/nowhere/at/all', 'EnvironmentFile=-/dev/null')).toBeNull();
  expect(unseen('EnvironmentFile=/nowhere/at/all', 'EnvironmentFile=')).toBeNull();
  const { variables } = read({ [override]: service('EnvironmentFile=/etc/%t.env', `EnvironmentFile=${says}`) });
  expect(variables).toEqual({ DO_NOT_TRACK: '0' });
});

test('the names of the unit and the home stand in a path as systemd puts them in', () => {
  const folder = sandbox(inMemory);
  const says = put(join(folder, 'assent-mail.env'), 'DO_NOT_TRACK=1\n');
  for (const name of ['%p.env', '%N.env', '%i%p.env'])
    expect(read({ [override]: service(`EnvironmentFile=-${folder}/${name}`) })).toEqual({
      variables: { DO_NOT_TRACK: '1' },
      unseen: null,
    });
  expect(unseen('EnvironmentFile=%h/x.env')).toBe(`${home}/x.env`);
  expect(unseen('EnvironmentFile=-%h/x.env')).toBeNull();
  expect(says).toContain(folder);
});

test("what system units can't look into is no less doubtful where it may be missing", () => {
  const folder = sandbox(inMemory);
  put(join(folder, 'assent-mail.service.d/x.conf'), service('EnvironmentFile=-/root/nowhere/at/all'));
  expect(unitEnvironment({ unit: 'assent-mail.service', folders: [folder] }, null).unseen).toBeNull();
  expect(unitEnvironment({ unit: 'assent-mail.service', folders: [folder, systemUnits] }, null).unseen).toBe(
    '/root/nowhere/at/all',
  );
});

test('links are followed as systemd does, and one to /dev/null puts a drop-in out of force', () => {
  const folder = sandbox(inMemory);
  const [conf, other] = ['10.conf', '20.conf'].map((name) => join(folder, 'assent-mail.service.d', name));
  put(sure(conf), service('Environment=DO_NOT_TRACK=1'));
  symlinkSync('10.conf', sure(other));
  expect(unitEnvironment({ unit: 'assent-mail.service', folders: [folder] }, null).variables).toEqual({
    DO_NOT_TRACK: '1',
  });
  rmSync(sure(conf));
  symlinkSync('/dev/null', sure(conf));
  expect(unitEnvironment({ unit: 'assent-mail.service', folders: [folder] }, null)).toEqual({
    variables: {},
    unseen: null,
  });
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
  put(join(paths.config, 'server.env'), '');
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

test('what the server is given and the asking account may not read vetoes for that one', async ({ skip }) => {
  asRoot(skip);
  const { home, dropIn } = await underSystemd();
  give(home, 1234);
  chmodSync(home.paths.state, 0o644);
  const secret = put(join(dirname(home.folder), 'x.env'), 'DO_NOT_TRACK=0\n');
  put(dropIn, service(`EnvironmentFile=${secret}`));
  chmodSync(secret, 0o600);
  expect(findServerVeto(home.world, home.paths)).toEqual({ value: '0', unseen: null });
  const asAccount = (): ReturnType<typeof findServerVeto> => {
    process.seteuid?.(1234);
    try {
      return findServerVeto(home.world, home.paths);
    } finally {
      process.seteuid?.(0);
    }
  };
  expect(asAccount()).toEqual({ value: '1', unseen: secret });
  put(dropIn, service(`EnvironmentFile=-${secret}`));
  expect(asAccount()).toEqual({ value: '1', unseen: secret });
  chmodSync(secret, 0o644);
  expect(asAccount()).toEqual({ value: '0', unseen: null });
  chmodSync(dropIn, 0o600);
  expect(asAccount()).toEqual({ value: '1', unseen: dropIn });
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

test('a file of variables that is damaged or gone vetoes, and status names it; where nothing tells of one, there is none', async () => {
  const { home, serverEnv } = await underSystemd();
  rmSync(serverEnv);
  const found = findServerVeto(home.world, home.paths);
  expect(found).toEqual({ value: '1', unseen: serverEnv });
  const answer = mayCount(home.world, home.paths, found.value);
  expect(explain(answer, 'mail', found.unseen)).toMatch(/^off: .*DO_NOT_TRACK may be set .*server\.env, which/);
  mkdirSync(serverEnv);
  expect(serverVetoOf(home.world, home.paths)).toBe('1');
  rmSync(join(home.folder, 'releases'), { recursive: true });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  writeFileSync(home.paths.state, 'x');
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
  rmSync(home.paths.folder, { recursive: true });
  expect(serverVetoOf(home.world, home.paths)).toBeUndefined();
});
