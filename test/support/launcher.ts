/**
 * A world for the launcher: a copy of the program in a folder with spaces in its path, a PATH that holds nothing but what is put
 * there, and an empty home. As root it runs everything as an unprivileged user, since root's own cache lies outside every test.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything that the launcher, the bootstrap and npm call. */
const tools = 'sh env uname id find readlink getent cut tr sed tar gzip chmod sync cat kill'.split(' ');
const nobody = 65534;
export const isRoot = process.getuid?.() === 0;
/** The Node of this machine, which `npm test` names before it puts the private one first. */
export const machineNode = process.env.ASSENT_TEST_MACHINE_NODE ?? '/usr/bin/node';
export const newNode = process.execPath;
export const privateName = `node-24.21.0-linux-${process.arch}`;

export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface LauncherWorld {
  folder: string;
  program: string;
  assent: string;
  home: string;
  cache: string;
  env: Record<string, string>;
  /** Puts a command into the PATH: a link to a path, or a shell script. */
  provide(name: string, what: { link: string } | { script: string }): void;
  /** Makes what was written here the unprivileged user's. */
  own(...paths: string[]): void;
  command(parameters: string[], options?: RunOptions): string[];
  run(parameters: string[], options?: RunOptions): Ran;
  start(parameters: string[], options?: RunOptions): ReturnType<typeof spawn>;
  remove(): void;
}

export interface RunOptions {
  /** Added to the environment; undefined takes a name out of it. */
  env?: Record<string, string | undefined>;
  assent?: string;
  uid?: number;
}

export function launcherWorld(): LauncherWorld {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'assent launcher ')));
  const [program, home, bin] = ['the program', 'home', 'tools'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [program, home, bin]) mkdirSync(path);
  for (const name of ['bin', 'dist', 'package.json']) cpSync(name, join(program, name), { recursive: true });
  const own = (...paths: string[]) => {
    if (isRoot) for (const path of paths) chownSync(path, nobody, nobody);
  };
  chmodSync(folder, 0o755);
  own(home);

  const provide: LauncherWorld['provide'] = (name, what) => {
    const path = join(bin, name);
    rmSync(path, { force: true });
    if ('link' in what) symlinkSync(what.link, path);
    else writeFileSync(path, `#!/bin/sh\n${what.script}\n`, { mode: 0o755 });
  };
  for (const name of tools) provide(name, { link: pathOf(name) });
  provide('npm', { link: pathOf('npm') });

  const world: LauncherWorld = {
    folder,
    program,
    home,
    assent: join(program, 'bin/assent'),
    cache: join(home, '.cache/assent'),
    env: { PATH: bin, HOME: home, LC_ALL: 'C' },
    provide,
    own,
    command: (parameters, { assent = world.assent, uid = nobody } = {}) =>
      isRoot
        ? [pathOf('setpriv'), `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', assent, ...parameters]
        : [assent, ...parameters],
    run: (parameters, options) => {
      const [file = '', ...rest] = world.command(parameters, options);
      const { status, signal, stdout, stderr } = spawnSync(file, rest, {
        env: environment(options),
        encoding: 'utf8',
        cwd: folder,
      });
      return { code: status, signal, stdout, stderr };
    },
    start: (parameters, options) => {
      const [file = '', ...rest] = world.command(parameters, options);
      return spawn(file, rest, { env: environment(options), cwd: folder });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  const environment = (options: RunOptions = {}) =>
    Object.fromEntries(Object.entries({ ...world.env, ...options.env }).filter((entry) => entry[1] !== undefined));
  return world;
}

/** The private Node as it would have been fetched: the one that runs the tests, in the place of the private one. */
export function placePrivateNode(world: LauncherWorld): string {
  const folder = join(world.cache, privateName);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  cpSync(newNode, join(folder, 'bin/node'));
  world.own(join(world.home, '.cache'), world.cache, folder, join(folder, 'bin'), join(folder, 'bin/node'));
  return join(folder, 'bin/node');
}

/** Replaces the program by one that tells, as JSON, how it was started, and stays until a signal when asked to `wait`. */
export function placeProbe(world: LauncherWorld): void {
  const probe = `
    const { pid, ppid, execPath, argv, env, execArgv } = process;
    if (argv[2] === 'wait') {
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => process.exit(42));
      process.on('SIGINT', () => process.exit(43));
    }
    const terminal = process.stdin.isTTY && process.stdout.isTTY ? process.stdout.getWindowSize() : null;
    console.log(JSON.stringify({ pid, ppid, execPath, arguments: argv.slice(2), nodeOptions: env.NODE_OPTIONS, execArgv, terminal }));
    if (argv[2] === 'exit') process.exitCode = Number(argv[3]);
  `;
  writeFileSync(join(world.program, 'dist/main.mjs'), probe);
}

export function pathOf(name: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  if (stdout.trim() === '') throw new Error(`This machine has no ${name}.`);
  return stdout.trim();
}
