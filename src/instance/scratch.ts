/**
 * A copy of an instance that can be run and changed while the real one goes on: a folder of its own, laid over HOME/instances/NAME in
 * namespaces of its own (src/system/namespace.ts). So every path is as it is in truth, the real folder can't even be reached,
 * and the rest of the home can't be written. It knows nothing of telemetry: whoever wants to try something on an instance may use it.
 *
 * The copy lies in HOME/scratch/NAME, where the server's account can reach what it owns. A kernel lock says who uses it; what a run
 * that was killed has left there is swept by the next one. The data is copied as its owner, while its server may be writing.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
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
import { type Lock, tryLock } from '../system/lock.ts';
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
}

export interface Scratch {
  /** A folder of ours beside the copy, for what a run in it leaves. */
  readonly out: string;
  /** Runs the command with the copy in the instance's place, in a network that leads nowhere. Throws 'refused-check' where namespaces can't be made. */
  readonly run: (
    command: readonly string[],
    options: IsolatedOptions & { readonly beside?: Beside },
  ) => Promise<IsolatedResult>;
}

/** Names are asked for here in a scratch's network: an address that is nobody's, in a range for tests. */
export const scratchNameServer = '198.18.0.1';

/** Gives `work` a fresh copy and removes it afterwards. Throws 'instance-busy' where another run has one. */
export const withScratch = async <T>(
  world: World,
  paths: InstancePaths,
  options: CopyOptions,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> => {
  refuseWithoutTools();
  const lock = takeLock(world, paths);
  const folder = join(paths.home, 'scratch', paths.name);
  try {
    await sweep(folder);
    const out = await makeCopy(paths, folder, options);
    return await work({ out, run: (command, how) => runOver(world, paths, folder, command, how) });
  } finally {
    await sweep(folder);
    removeIfEmpty(join(paths.home, 'scratch'));
    lock.release();
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

const takeLock = (world: World, { home, name }: InstancePaths): Lock => {
  const path = join(home, 'locks', `${name}.scratch.lock`);
  makeFolder(join(home, 'locks'));
  const holder = { pid: world.pid, command: 'assent', step: 'scratch copy', startedAt: world.now().toISOString() };
  const attempt = tryLock(path, holder);
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
  makeFolder(join(paths.home, 'scratch'), { mode: 0o711 });
  makeFolder(folder, { mode: 0o711 });
  const [instance, out] = [join(folder, 'instance'), join(folder, 'out')];
  makeFolder(join(folder, 'locks'), { mode: 0o755 });
  makeFolder(out, { mode: 0o700 });
  makeLike(paths.folder, instance);
  for (const name of listFolder(paths.folder)) {
    if (!options.without.includes(name)) await copyOne(join(paths.folder, name), join(instance, name), options, name);
  }
  writeNames(out);
  return out;
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
  { beside, ...options }: IsolatedOptions & { readonly beside?: Beside },
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
  const hide = ['/run/nscd', '/run/dbus', '/run/systemd'];
  const isolation = { user: world.user, binds, readOnly: [paths.home], hide, ...(beside ? { beside } : {}) };
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
