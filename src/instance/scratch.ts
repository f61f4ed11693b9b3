/**
 * A copy of an instance that can be run and changed while the real one goes on: a folder of its own, laid over HOME/instances/NAME in
 * namespaces of its own (src/system/namespace.ts). So every path is as it is in truth, the real folder can't even be reached,
 * and the rest of the home can't be written. It knows nothing of telemetry: whoever wants to try something on an instance may use it.
 *
 * The copy lies in HOME/scratch/NAME, where the server's account can reach what it owns. A kernel lock says who uses it; what a run
 * that was killed has left there is swept by the next one. The data is copied as its owner, while its server may be writing.
 */

import { join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import {
  listFolder,
  makeFolder,
  readBytesIfThere,
  readIfThere,
  readLinkIfThere,
  replaceLink,
  statIfThere,
  writeDurably,
} from '../system/files.ts';
import { type Lock, type LockHolder, tryLock } from '../system/lock.ts';
import {
  type Beside,
  findCommand,
  type IsolatedOptions,
  type IsolatedResult,
  isolationNeeds,
  runIsolated,
} from '../system/namespace.ts';
import { realPathIfThere, removeIfEmpty } from '../system/quick-files.ts';
import { copyTree, removeTree } from '../system/tree.ts';
import type { World } from '../system/world.ts';
import type { InstancePaths } from './paths.ts';

export interface CopyOptions {
  /** Names in the instance's folder that are not copied at all. */
  readonly without: readonly string[];
  /** Names of folders that are made empty. */
  readonly empty: readonly string[];
  /** Of the others only these are copied, each under the name given here. Default: all, as they are called. */
  readonly only?: Readonly<Record<string, string>>;
}

/** `sealed`: the copy is all that can be written, on the whole machine. */
export type ScratchRun = IsolatedOptions & { readonly beside?: Beside; readonly sealed?: boolean };

export interface Scratch {
  /** The copy of the instance's folder; within a run it stands in that one's place. */
  readonly instance: string;
  /** A folder of ours beside the copy, for what a run in it leaves. */
  readonly out: string;
  /** Runs the command with the copy in the instance's place, in a network that leads nowhere. Throws 'refused-check' where namespaces can't be made. */
  readonly run: (command: readonly string[], options: ScratchRun) => Promise<IsolatedResult>;
}

/** Names are asked for here in a scratch's network: an address that is nobody's, in a range for tests. */
export const scratchNameServer = '198.18.0.1';

/** Where the copies of a home's instances are made. */
export const scratchFolder = (home: string): string => join(home, 'scratch');

/** Gives `work` a fresh copy and removes it afterwards. Throws 'instance-busy' where another run has one. */
export const withScratch = async <T>(
  world: World,
  paths: InstancePaths,
  options: CopyOptions,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> => {
  refuseWithoutTools();
  const lock = takeLock(world, paths);
  const folder = join(scratchFolder(paths.home), paths.name);
  try {
    await sweep(folder);
    const out = await makeCopy(paths, folder, options);
    const instance = join(folder, 'instance');
    return await work({ instance, out, run: (command, how) => runOver(world, paths, folder, command, how) });
  } finally {
    await sweep(folder);
    removeIfEmpty(scratchFolder(paths.home));
    lock.release();
  }
};

/** Why no copy could be run here; undefined where one can. It is tried: what a machine permits is written in too many places. */
export const scratchTrouble = async (world: World): Promise<Failure | undefined> => {
  try {
    refuseWithoutTools();
    const isolation = { user: world.user, binds: [], readOnly: [], hide: [] };
    const result = await runIsolated(['/bin/true'], isolation, { input: '', timeoutMs: 10_000 });
    return result.began ? undefined : cantIsolate(world, result.stderr);
  } catch (error) {
    if (error instanceof Failure) return error;
    return cantIsolate(world, messageOf(error));
  }
};

/** Removes what a run that was killed has left; nothing happens while one is at work. */
export const sweepScratch = async (world: World, paths: InstancePaths): Promise<void> => {
  const folder = join(scratchFolder(paths.home), paths.name);
  if (statIfThere(folder) === undefined) return;
  const attempt = tryLock(lockOf(paths), holderOf(world));
  if (!('lock' in attempt)) return;
  try {
    await sweep(folder);
    removeIfEmpty(scratchFolder(paths.home));
  } finally {
    attempt.lock.release();
  }
};

const refuseWithoutTools = (): void => {
  const missing = Object.entries(isolationNeeds).filter(([command]) => findCommand(command) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  throw new Failure(
    'refused-check',
    `A network of its own needs commands that are not here: ${missing.map(([command]) => command).join(', ')}.`,
    `Install (names of Debian's packages): apt-get install ${packages.join(' ')}. Nothing was changed.`,
  );
};

const lockOf = ({ home, name }: InstancePaths): string => join(home, 'locks', `${name}.scratch.lock`);

const holderOf = (world: World): LockHolder => ({
  pid: world.pid,
  command: 'assent',
  step: 'scratch copy',
  startedAt: world.now().toISOString(),
});

const takeLock = (world: World, paths: InstancePaths): Lock => {
  const { home, name } = paths;
  makeFolder(join(home, 'locks'));
  const attempt = tryLock(lockOf(paths), holderOf(world));
  if ('lock' in attempt) return attempt.lock;
  throw new Failure(
    'instance-busy',
    `Another run (process ${attempt.heldBy?.pid ?? 'unknown'}) tries something on a copy of ${name}.`,
    'Wait until it has ended. Nothing was changed.',
  );
};

/** Each part as its own owner: as root nothing is walked that another user can write. */
const sweep = async (folder: string): Promise<void> => {
  const instance = join(folder, 'instance');
  for (const name of listFolder(instance)) await removeTree(join(instance, name));
  await removeTree(folder);
};

const makeCopy = async (paths: InstancePaths, folder: string, options: CopyOptions): Promise<string> => {
  makeFolder(scratchFolder(paths.home), { mode: 0o711 });
  makeFolder(folder, { mode: 0o711 });
  const [instance, out] = [join(folder, 'instance'), join(folder, 'out')];
  makeFolder(join(folder, 'locks'), { mode: 0o755 });
  makeFolder(out, { mode: 0o700 });
  makeLike(paths.folder, instance);
  for (const name of listFolder(paths.folder)) {
    const [path, called] = [join(paths.folder, name), nameInCopy(name, options)];
    // Nobody ends an interrupted change of a copy.
    if (called !== undefined && path !== paths.recover) await copyOne(path, join(instance, called), options, name);
  }
  writeNames(out);
  return out;
};

const nameInCopy = (name: string, { without, empty, only }: CopyOptions): string | undefined => {
  if (without.includes(name)) return undefined;
  return only === undefined || empty.includes(name) ? name : only[name];
};

const copyOne = async (from: string, to: string, { empty }: CopyOptions, name: string): Promise<void> => {
  const stat = statIfThere(from);
  if (stat?.kind === 'link') replaceLink(readLinkIfThere(from) ?? '', to);
  if (stat?.kind === 'folder' && empty.includes(name)) makeLike(from, to);
  if (stat?.kind === 'folder' && !empty.includes(name)) await copyTree(from, to);
  const bytes = stat?.kind === 'file' ? readBytesIfThere(from) : undefined;
  if (bytes !== undefined) writeDurably(to, bytes, attributesOf(from));
};

const makeLike = (model: string, path: string): void => makeFolder(path, attributesOf(model));

/** Where we are not root everything is ours anyhow. */
const attributesOf = (path: string): { mode: number; owner: { uid: number; gid: number } } | object => {
  const stat = statIfThere(path);
  return stat === undefined ? {} : { mode: stat.mode, owner: { uid: stat.uid, gid: stat.gid } };
};

/** Look-ups go to files and to our name server, past every cache and helper of the machine. */
const writeNames = (out: string): void => {
  writeDurably(join(out, 'resolv.conf'), `nameserver ${scratchNameServer}\noptions timeout:2 attempts:1\n`);
  const found = readIfThere(realPathIfThere('/etc/nsswitch.conf') ?? '/nowhere') ?? '';
  const others = found.split('\n').filter((line) => !/^\s*hosts\s*:/.test(line));
  writeDurably(join(out, 'nsswitch.conf'), [...others, 'hosts: files dns', ''].join('\n'));
};

const runOver = async (
  world: World,
  paths: InstancePaths,
  folder: string,
  command: readonly string[],
  { beside, sealed = false, ...options }: ScratchRun,
): Promise<IsolatedResult> => {
  const names = ['resolv.conf', 'nsswitch.conf'].map((name) => ({
    from: join(folder, 'out', name),
    over: realPathIfThere(`/etc/${name}`),
  }));
  const binds = [
    ...names.flatMap(({ from, over }) => (over === undefined ? [] : [{ from, over }])),
    { from: join(folder, 'instance'), over: paths.folder },
    { from: join(folder, 'locks'), over: join(paths.home, 'locks') },
    { from: join(folder, 'out'), over: join(folder, 'out') },
  ];
  // Sockets of the machine's databases, mailers and helpers are in no network: they are reached by their files.
  const hide = sealed ? ['/run', '/tmp', '/var/tmp', '/dev/shm'] : ['/run/nscd', '/run/dbus', '/run/systemd'];
  const kept = { keep: realPathIfThere(paths.home) ?? paths.home, sealed };
  const isolation = { user: world.user, binds, readOnly: [paths.home], hide, ...kept, ...(beside ? { beside } : {}) };
  const result = await runIsolated(command, isolation, options);
  if (result.began || options.until?.aborted === true) return result;
  throw cantIsolate(world, result.stderr);
};

const cantIsolate = (world: World, said: string): Failure =>
  new Failure(
    'refused-check',
    `Namespaces for mounts, network and processes can't be made here: ${said.trim().split('\n').slice(-3).join(' ') || 'unshare says nothing'}`,
    world.user.uid === 0
      ? 'In a container, give it the right to (CAP_SYS_ADMIN, CAP_NET_ADMIN), or run this on the host. Nothing was changed.'
      : 'Run it as the user root for an installation of root, or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0). Nothing was changed.',
  );
