/**
 * A Debian with a real, booted systemd in a box: debootstrap once (cached), then systemd-nspawn for each test file, gone afterwards. Several live beside each other.
 *
 * Nothing of the host is changed: the two tools are unpacked from their packages, what the box writes goes to a tmpfs over the cached tree, and it
 * runs in a mount namespace of its own. It needs root and the tools; `whyNoBox` says what is missing, for a skip that is printed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cache, tools, tree } from './nspawn-tree.ts';

export interface Box {
  /** Runs a command in the box to its end, as root or another user. */
  run(
    command: readonly string[],
    options?: { uid?: number; input?: string; timeoutMs?: number },
  ): { code: number | null; stdout: string; stderr: string };
  /** A process of the box, by its number there, killed from inside. */
  kill(pid: number, signal?: string): void;
  stop(): Promise<void>;
  /** Cuts the power: everything in it is killed at once. */
  cut(): Promise<void>;
}

/** Why there can be no box on this machine; undefined where there can. In CI there has to be one. */
export const whyNoBox = (): string | undefined => {
  const why = whatIsMissing();
  if (why !== undefined && process.env.CI)
    throw new Error(`There can be no box with systemd, and CI skips nothing: ${why}`);
  return why;
};

const whatIsMissing = (): string | undefined => {
  if (process.geteuid?.() !== 0) return 'it needs root';
  const missing = ['apt-get', 'dpkg', 'flock', 'unshare', 'nsenter', 'setpriv', 'mount'].filter(
    (name) => spawnSync('which', [name]).status !== 0,
  );
  if (missing.length > 0) return `it needs ${missing.join(', ')}`;
  if (existsSync('/run/systemd/system'))
    return 'systemd runs on this machine itself, and a box of this kind would get in its way';
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return 'it needs the right to make a mount namespace';
  if (existsSync(tree)) return undefined;
  mkdirSync(cache, { recursive: true });
  // Several files of tests want it at once.
  const how = [join(cache, 'lock'), process.execPath, resolve('test/support/nspawn-tree-main.ts')];
  const { status, stdout, stderr } = spawnSync('flock', how, { encoding: 'utf8' });
  return status === 0 ? undefined : `its tree could not be made: ${(stdout + stderr).slice(-300)}`;
};

export interface Bind {
  readonly from: string;
  readonly to?: string;
  readonly readOnly?: boolean;
}

/**
 * Boots a box; `binds` are folders that it shares, by the same or another path. What it writes elsewhere is gone with it, or lies in the folder `disk`,
 * from which it can be booted again.
 */
export const bootBox = async (binds: readonly Bind[], given?: string): Promise<Box> => {
  const shared = [
    { from: resolve('.'), readOnly: true },
    { from: dirname(dirname(process.execPath)), readOnly: true },
    ...binds,
  ];
  const flags = shared.map(
    ({ from, to = from, ...how }) => `--bind${'readOnly' in how && how.readOnly === true ? '-ro' : ''}=${from}:${to}`,
  );
  const disk = given ?? '/run/systemd/disk';
  const nspawn = ['-D', join(disk, 'root'), '-b', '--register=no', '--keep-unit', '--console=pipe', ...flags];
  const words = [join(tools, 'usr/bin/systemd-nspawn'), ...nspawn].map((word) => `'${word}'`).join(' ');
  const own = ['mount -t tmpfs tmpfs /run/systemd', 'mkdir -p /run/systemd/nspawn'];
  const steps = [...ownGroups(), ...own, ...overTheTree(disk)];
  const outer = spawn('unshare', ['--mount', '--', 'sh', '-c', `${steps.join(' && ')} && exec ${words}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let said = '';
  for (const stream of [outer.stdout, outer.stderr]) stream.on('data', (text) => (said += text));
  const leader = await findLeader(outer, () => said);
  const box = boxOf(outer, leader);
  await until(
    () => ['running', 'degraded'].includes(box.run(['systemctl', 'is-system-running']).stdout.trim()),
    () => said,
  );
  return box;
};

/** What the box writes, over the tree that all share, in its own mount namespace. */
const overTheTree = (disk: string): string[] => {
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(disk, name)) as [string, string, string];
  return [
    `mkdir -p ${upper} ${work} ${root}`,
    `mount -t overlay overlay -o lowerdir=${tree},upperdir=${upper},workdir=${work} ${root}`,
  ];
};

/** Of the hierarchies that systemd uses, where this process is in each: nspawn makes control groups of fixed names there. */
const hierarchies = (): string[] =>
  readQuietly('/proc/self/cgroup')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, controllers]) => controllers === '' || controllers === 'name=systemd')
    .flatMap(([, controllers, group = '']) => {
      const roots = controllers === '' ? ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'] : ['/sys/fs/cgroup/systemd'];
      return roots.map((root) => join(root, group)).filter((path) => existsSync(join(path, 'cgroup.procs')));
    });

const ofBox = (pid: number | string): string => `assent-box-${pid}`;

/** So that boxes can live beside each other, each goes into groups of its own first. `$$`: the shell that becomes nspawn. */
const ownGroups = (): string[] =>
  hierarchies().flatMap((path) => [`mkdir ${path}/${ofBox('$$')}`, `echo $$ >${path}/${ofBox('$$')}/cgroup.procs`]);

const boxOf = (nspawn: ChildProcess, leader: number): Box => {
  const run: Box['run'] = (command, { uid = 0, input = '', timeoutMs = 250_000 } = {}) => {
    const user = uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--init-groups'];
    const all = ['nsenter', '-t', String(leader), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...user, ...command];
    const env = {
      PATH: `${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: uid === 0 ? '/root' : '/home/alice',
      LANG: 'C.UTF-8',
    };
    const result = spawnSync(all[0] as string, all.slice(1), {
      input,
      env,
      encoding: 'utf8',
      timeout: timeoutMs,
      // nsenter stops itself where systemd stops everything to power off, and a stopped process hears nothing but KILL.
      killSignal: 'SIGKILL',
      maxBuffer: 64e6,
    });
    return { code: result.status, stdout: result.stdout, stderr: result.stderr };
  };
  return {
    run,
    kill: (pid, signal = 'KILL') => void run(['kill', `-${signal}`, String(pid)]),
    // SIGRTMIN+4 is how systemd as process 1 is told to power off.
    stop: () => end(nspawn, leader, 'RTMIN+4'),
    cut: () => end(nspawn, leader, 'KILL'),
  };
};

const end = async (nspawn: ChildProcess, leader: number, signal: string): Promise<void> => {
  const gone = new Promise((done) => nspawn.on('exit', done));
  spawnSync('kill', ['-s', signal, String(leader)]);
  const timer = setTimeout(() => nspawn.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(timer);
  removeEmptyGroups(nspawn.pid as number);
};

/** What is left of the box's control groups; rmdir takes only those that are empty. */
const removeEmptyGroups = (pid: number): void => {
  for (const path of hierarchies())
    spawnSync('find', [join(path, ofBox(pid)), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
};

/** The box's process 1: a descendant of nspawn whose number inside is 1. */
const findLeader = async (nspawn: ChildProcess, said: () => string): Promise<number> => {
  let leader: number | undefined;
  await until(() => {
    leader = descendants(nspawn.pid as number).find((pid) => /^NSpid:.*\t1$/m.test(readQuietly(`/proc/${pid}/status`)));
    return leader !== undefined;
  }, said);
  return leader as number;
};

const descendants = (pid: number): number[] => {
  const children = readQuietly(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
};

const readQuietly = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const until = async (condition: () => boolean, said: () => string): Promise<void> => {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`The box did not come up: ${said()}`);
    await new Promise((done) => setTimeout(done, 100));
  }
};
