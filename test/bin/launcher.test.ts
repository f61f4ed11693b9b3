import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  isRoot,
  type LauncherWorld,
  launcherWorld,
  newNode,
  placePrivateNode,
  placeProbe,
  privateName,
} from '../support/launcher.ts';

interface Probe {
  pid: number;
  ppid: number;
  execPath: string;
  arguments: string[];
  nodeOptions?: string;
  execArgv: string[];
}

const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
const told = (stdout: string) => JSON.parse(stdout) as Probe;
/** A `node` of another version: it tells that version, and runs programs on the real one. */
const nodeOf = (says: string) => ({
  script: `[ "$1" = --version ] && { echo '${says}'; exit; }\nexec '${newNode}' "$@"`,
});

let world: LauncherWorld;
let privateNode: string;

beforeAll(() => {
  world = launcherWorld();
  privateNode = placePrivateNode(world);
});
afterAll(() => world.remove());
beforeEach(() => world.provide('node', { link: newNode }));

test('the real program on a Node that is new enough: its version, and nothing on stderr', () => {
  expect(world.run(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
});

describe('with a program that tells how it was started', () => {
  beforeAll(() => placeProbe(world));

  test.each([
    ['v16.20.2', false],
    ['v18.20.0', false],
    ['v20.20.2', false],
    ['v22.3.0', false],
    ['v22.22.1', false],
    ['v22.22.2', true],
    ['v22.23.0', true],
    ['v23.11.0', false],
    ['v24.14.9', false],
    ['v24.15.0', true],
    ['v24.15.0-rc.1', false],
    ['v24.100.0', true],
    ['v25.9.0', false],
    ['v26.0.0', true],
    ['v31.2.1', true],
    ['', false],
    ['node', false],
    ['v24.15', false],
  ])('Node %s on the PATH is new enough: %s', (says, enough) => {
    world.provide('node', nodeOf(says));
    const { stdout, stderr, code } = world.run(['status']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(told(stdout).execPath).toBe(enough ? newNode : privateNode);
  });

  test('no Node on the PATH: the private one', () => {
    world.provide('node', { script: 'exit 1' });
    expect(told(world.run([]).stdout).execPath).toBe(privateNode);
  });

  test('arguments arrive as they were given', () => {
    const given = ['a b', '', '--set', 'x=$HOME "q" \\ *', '--', '-y', 'ü\n'];
    expect(told(world.run(given).stdout).arguments).toEqual(given);
  });

  test.each(['link', 'private'])(
    'it replaces itself (%s Node): the pid, the exit code and a signal are those of the program',
    async (which) => {
      if (which === 'private') world.provide('node', nodeOf('v20.20.2'));
      const child = world.start(['wait']);
      const line = await new Promise<string>((resolve) => child.stdout?.once('data', (data) => resolve(String(data))));
      expect(told(line).pid).toBe(child.pid);
      child.kill('SIGTERM');
      expect(await new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])))).toEqual([
        42,
        null,
      ]);
      expect(world.run(['exit', '9']).code).toBe(9);
    },
  );

  test("the terminal is the program's own: its size, and Ctrl-C reaches it", async (context) => {
    if (!existsSync('node_modules/node-pty/build/Release/pty.node'))
      context.skip('node-pty is not compiled: npm test does it');
    const { spawn } = await import('node-pty');
    const [file = '', ...rest] = world.command(['wait']);
    const terminal = spawn(file, rest, { cols: 101, rows: 33, env: world.env, cwd: world.folder });
    const exit = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    const line = await new Promise<string>((resolve) => terminal.onData(resolve));
    expect(told(line)).toMatchObject({ pid: terminal.pid, terminal: [101, 33] });
    terminal.write('\x03');
    expect(await exit).toBe(43);
  });

  test('through links: relative, absolute, of links, from the PATH', () => {
    const links = join(world.folder, 'some links');
    mkdirSync(join(links, 'more'), { recursive: true });
    symlinkSync('../the program/bin/assent', join(links, 'relative'));
    symlinkSync(join(links, 'relative'), join(links, 'more/absolute'));
    symlinkSync('more/absolute', join(links, 'chained'));
    for (const assent of ['relative', 'more/absolute', 'chained'].map((name) => join(links, name))) {
      expect(told(world.run(['x'], { assent }).stdout).arguments).toEqual(['x']);
    }
    world.provide('assent', { link: join(links, 'chained') });
    const fromPath = world.run(['-c', 'assent y'], { assent: '/bin/sh' });
    expect(told(fromPath.stdout).arguments).toEqual(['y']);
  });

  test('NODE_OPTIONS stays as it is, and its warnings and faults do not hide the version', () => {
    const { stdout, stderr } = world.run([], { env: { NODE_OPTIONS: '--max-old-space-size=100' } });
    expect({ told: told(stdout).nodeOptions, stderr }).toEqual({ told: '--max-old-space-size=100', stderr: '' });
  });

  test('without HOME, and with an empty one, XDG_CACHE_HOME is enough', () => {
    world.provide('node', nodeOf('v20.0.0'));
    for (const HOME of [undefined, '']) {
      const env = { HOME, XDG_CACHE_HOME: join(world.home, '.cache') };
      expect(told(world.run([], { env }).stdout).execPath).toBe(privateNode);
    }
  });

  test('a relative XDG_CACHE_HOME is no folder: HOME counts', () => {
    world.provide('node', nodeOf('v20.0.0'));
    expect(told(world.run([], { env: { XDG_CACHE_HOME: 'cache' } }).stdout).execPath).toBe(privateNode);
  });

  test('ASSENT_NODE names one, also where the one on the PATH is too old', () => {
    world.provide('node', nodeOf('v20.0.0'));
    expect(told(world.run([], { env: { ASSENT_NODE: newNode } }).stdout).execPath).toBe(newNode);
  });

  test.each([
    ['is not there', () => '/nowhere/node', 'no Node that can be run'],
    ['is too old', () => join(world.folder, 'tools/node'), 'v20.0.0'],
  ])('ASSENT_NODE that %s is an error, never passed over', (_case, path, named) => {
    world.provide('node', nodeOf('v20.0.0'));
    const { code, stdout, stderr } = world.run([], { env: { ASSENT_NODE: path() } });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`ASSENT_NODE names ${path()}, which is ${named}`);
  });
});

describe('a private Node that another user could have put or changed there is not run', () => {
  const refused = (path: string) => {
    world.provide('node', nodeOf('v20.0.0'));
    const { code, stdout, stderr } = world.run([]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`assent: ${path} belongs to another user or can be written by one`);
    expect(stderr).toContain(`chmod go-w ${path}`);
  };

  test.each([
    '.cache',
    '.cache/assent',
    `.cache/assent/${privateName}`,
    `.cache/assent/${privateName}/bin`,
    `.cache/assent/${privateName}/bin/node`,
  ])('%s writable by others', (name) => {
    const path = join(world.home, name);
    for (const mode of [0o777, 0o775]) {
      chmodSync(path, mode);
      refused(path);
      chmodSync(path, 0o755);
    }
    expect(world.run([]).code).toBe(0);
  });

  test('a sticky cache folder is fine, since it keeps others from replacing what is ours', () => {
    world.provide('node', nodeOf('v20.0.0'));
    chmodSync(join(world.home, '.cache'), 0o1777);
    const { code, stderr } = world.run([]);
    chmodSync(join(world.home, '.cache'), 0o755);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('the folder of another user', (context) => {
    if (!isRoot) context.skip('only root can give a folder to another user');
    world.provide('node', nodeOf('v20.0.0'));
    const { code, stderr } = world.run([], { uid: 54321 });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('is not run') });
  });
});

describe('where no Node can be had', () => {
  const nowhere = () => ({ HOME: join(world.folder, 'home of nothing') });

  test.each([
    ['none', { script: 'exit 127' }, 'this machine has none.'],
    ['one that is too old to fetch another', nodeOf('v16.20.2'), 'this machine has v16.20.2.'],
  ])('%s: what to do, exit 3', (_case, node, named) => {
    world.provide('node', node);
    const { code, stdout, stderr } = world.run(['status'], { env: nowhere() });
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 3, stdout: '', lines: 3 });
    expect(stderr).toContain(named);
    expect(stderr).toContain('Install a newer Node');
  });

  test('with --json stdout is one document, on failure too', () => {
    world.provide('node', nodeOf('v12.1.0'));
    const { code, stdout } = world.run(['status', '--json'], { env: nowhere() });
    const document = JSON.parse(stdout) as { schema: string; ok: boolean; error: { code: string; exit: number } };
    expect(document).toMatchObject({ schema: 'assent/1', ok: false, error: { code: 'refused-platform', exit: 3 } });
    expect(code).toBe(3);
  });

  test.each([
    ['', 'assent'],
    ['--home /srv/a upgrade mail', 'upgrade'],
    ['--quiet telemetry off mail', 'telemetry off'],
    ['telemetry', 'telemetry'],
    ['products check ./a.yaml', 'products check'],
    ['a"b', 'assent'],
  ])('its document about "%s" names the command as any other does', (line, command) => {
    world.provide('node', nodeOf('v12.1.0'));
    const { stdout } = world.run([...line.split(' ').filter(Boolean), '--json'], { env: nowhere() });
    expect(JSON.parse(stdout)).toMatchObject({ command, ok: false, outcome: 'refused', changed: false });
  });

  test.each([
    ['Darwin', 'arm64', 'this machine is Darwin on arm64.'],
    ['Linux', 'riscv64', 'this machine is Linux on riscv64.'],
  ])('%s on %s: one clear sentence, exit 3', (system, machine, named) => {
    world.provide('node', nodeOf('v20.0.0'));
    world.provide('uname', { script: `echo ${system} ${machine}` });
    const { code, stderr } = world.run([]);
    world.provide('uname', { link: '/usr/bin/uname' });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(named) });
  });

  test('no HOME at all: which one to set', (context) => {
    if (!isRoot) context.skip('only root can be a user who is in no list');
    world.provide('node', nodeOf('v20.0.0'));
    const { code, stderr } = world.run([], { env: { HOME: undefined }, uid: 54321 });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('HOME is not set') });
  });

  test.each(['v20.0.0', 'v24.21.0'])('a clone that was not built yet, on Node %s: npm start', (says) => {
    world.provide('node', nodeOf(says));
    rmSync(join(world.program, 'dist'), { recursive: true, force: true });
    const { code, stderr } = world.run([], { env: nowhere() });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('Run npm start.') });
  });
});
