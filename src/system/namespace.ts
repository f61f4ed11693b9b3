/**
 * Running a command in namespaces of its own: mounts, network and processes that nobody else sees, made by unshare(1).
 *
 * The network is loopback alone, and a route that makes every address there is a local one: whatever is sent anywhere stays on this
 * loopback, where it can be listened to, and nothing gets out. Folders can be covered by others and be made read-only; all of that
 * is gone with the last process. The kernel ends them all when we die, however we die (setpriv --pdeathsig, unshare --kill-child).
 *
 * As root the command stays root; other users are root for the set-up only, where the kernel lets them, and themselves afterwards.
 *
 * Sealed, the command can change nothing of this machine but what was bound for it: every mount is read-only, folders where others listen or
 * leave files are covered, and no program gives it more rights (sendmail, sudo). A copied server then reaches neither spools nor databases.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listMounts, type Mount } from './mounts.ts';
import { minimalEnvironment } from './processes.ts';

export interface Isolation {
  /** Who we are; the command is the same user. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** Each `over` is covered by `from`: files by files, folders by folders. */
  readonly binds: readonly { readonly from: string; readonly over: string }[];
  /** Folders that can't be written, but for what is bound inside. */
  readonly readOnly: readonly string[];
  /** Folders that are covered by empty ones, where they are there. */
  readonly hide: readonly string[];
  /** Where what is needed lies: stays to be seen though a folder above it is hidden. */
  readonly keep?: string;
  /** Whether all else can't be written either. */
  readonly sealed?: boolean;
  /** Runs beside the command with the rights of the set-up, from before it to a little after it. */
  readonly beside?: Beside;
}

export interface Beside {
  readonly command: readonly string[];
  /** Files that its output goes to. */
  readonly stdout: string;
  readonly stderr: string;
  /** What its error output says once it is at work. */
  readonly ready: string;
}

export interface IsolatedOptions {
  readonly input: string;
  readonly timeoutMs: number;
  /** Ends everything at once. */
  readonly until?: AbortSignal;
}

export interface IsolatedResult {
  /** False where the namespaces could not be made or set up: the command was not run, and `stderr` says why. */
  readonly began: boolean;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Commands that this needs, and the Debian packages that have them. */
export const isolationNeeds = { unshare: 'util-linux', setpriv: 'util-linux', mount: 'mount', ip: 'iproute2' } as const;

/** Where a command is, in the folders that everything we run looks in. */
export const findCommand = (name: string): string | undefined =>
  (minimalEnvironment.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** Runs the command to its end; its group is killed at the deadline. Throws where not even unshare can be started. */
export const runIsolated = (
  command: readonly string[],
  isolation: Isolation,
  { input, timeoutMs, until }: IsolatedOptions,
): Promise<IsolatedResult> => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const rights = isolation.user.uid === 0 ? [] : ['--map-root-user'];
  const namespaces = [...rights, '--mount', '--net', '--pid', '--ipc', '--fork', '--mount-proc', '--kill-child=KILL'];
  const script = scriptFor(command, isolation);
  const words = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, '/bin/sh', '-c', script];
  const child = spawn('setpriv', words, { cwd: '/', env: minimalEnvironment, detached: true, stdio: 'pipe' });
  let [stdout, stderr, timedOut] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000);
  });
  child.stdin.on('error', () => {}); // It ended early: its code and its words tell more.
  child.stdin.end(input);
  const end = (): void => void child.kill('SIGKILL');
  until?.addEventListener('abort', end);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      until?.removeEventListener('abort', end);
      const began = stdout.startsWith(begun);
      resolve({ began, code, stdout: began ? stdout.slice(begun.length) : '', stderr, timedOut });
    });
  });
};

const begun = '@begun\n';

const scriptFor = (command: readonly string[], isolation: Isolation): string => {
  const { user, binds, readOnly, hide, beside, keep, sealed = false } = isolation;
  const asUser = [...(user.uid === 0 ? [] : backToUser(user)), ...(sealed ? ['setpriv', '--no-new-privs'] : [])];
  return [
    'set -eu',
    ...hidden(hide, keep),
    ...binds.flatMap((bind) => bound(bind, hide)),
    ...readOnly.map(closed),
    ...(sealed ? sealing(listMounts(), isolation) : []),
    'ip link set lo up',
    'ip route add local default dev lo',
    'ip -6 route add local default dev lo 2>/dev/null || :',
    // Whoever is asked for names listens on port 53, without being root.
    '{ echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start; } 2>/dev/null || :',
    ...(beside === undefined ? [] : besideBegins(beside)),
    `printf '${begun.trim()}\\n'`,
    'code=0',
    `${[...asUser, ...command].map(quoted).join(' ')} || code=$?`,
    ...(beside === undefined ? [] : ['sleep 0.3', 'kill $beside 2>/dev/null || :', 'wait $beside || :']),
    'exit $code',
  ].join('\n');
};

/** What is kept is carried through /run while the folder above it is covered. */
const hidden = (hide: readonly string[], keep: string | undefined): string[] => {
  const cover = (folder: string): string =>
    `if [ -d ${quoted(folder)} ]; then mount -t tmpfs none ${quoted(folder)}; fi`;
  const above = hide.filter((folder) => keep !== undefined && isBelow(keep, folder));
  const plain = hide.filter((folder) => !above.includes(folder)).map(cover);
  if (keep === undefined || above.length === 0) return plain;
  const [at, aside] = [quoted(keep), quoted('/run/kept')];
  return [
    ...(hide.includes('/run') && !above.includes('/run') ? [] : ['echo "nowhere to keep what is needed" >&2; exit 1']),
    ...plain,
    `mkdir ${aside}`,
    `mount --rbind ${at} ${aside}`,
    ...above.map(cover),
    `mkdir -p ${at}`,
    `mount --rbind ${aside} ${at}`,
    `umount -R -l ${aside}`,
  ];
};

/** What is bound over a file of a folder that is hidden by now (/run/systemd/resolve/stub-resolv.conf) has to find a file there. */
const bound = ({ from, over }: Isolation['binds'][number], hide: readonly string[]): string[] => {
  const [at, folder] = [quoted(over), quoted(dirname(over))];
  const isCovered = hide.some((one) => isBelow(over, one));
  return [
    ...(isCovered ? [`[ -e ${at} ] || { mkdir -p ${folder}; : >${at}; }`] : []),
    `mount --bind ${quoted(from)} ${at}`,
  ];
};

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** Flags that a mount carries already and that a user may not take away; mount(8) knows them by these names. */
const keptFlags = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'nosymfollow'];
/** Not of disks: what is written there is the kernel's, or guarded by it. */
const ofKernel = /^\/(proc|sys|dev)(\/|$)/;

/** Each mount as it is, but read-only; what was bound lies above them. One that the user can't even see is passed over: neither can the command. */
const sealing = (mounts: readonly Mount[], { hide, binds }: Isolation): string[] =>
  [...new Map(mounts.map((mount) => [mount.point, mount])).values()]
    .filter(({ point, flags }) => !ofKernel.test(point) && !flags.includes('ro') && !hide.includes(point))
    .filter(({ point }) => !binds.some(({ over }) => over === point))
    .map(({ point, flags }) => {
      const options = ['remount', 'bind', 'ro', ...flags.filter((flag) => keptFlags.includes(flag))].join(',');
      return `if [ -e ${quoted(point)} ]; then mount -o ${options} ${quoted(point)}; fi`;
    });

/** A mount that carries flags which a user may not take away has to keep them. */
const closed = (folder: string): string => {
  const at = quoted(folder);
  const remount = (flags: string): string => `mount -o remount,bind,${flags} ${at} 2>/dev/null`;
  return `mount --rbind ${at} ${at}\n${remount('ro')} || ${remount('ro,nosuid,nodev')} || ${remount('ro,nosuid,nodev,noatime')}`;
};

const besideBegins = ({ command, stdout, stderr, ready }: Beside): string[] => [
  `${command.map(quoted).join(' ')} >${quoted(stdout)} 2>${quoted(stderr)} </dev/null &`,
  'beside=$!',
  `until grep -q ${quoted(ready)} ${quoted(stderr)}; do kill -0 $beside 2>/dev/null || { cat ${quoted(stderr)} >&2; exit 1; }; sleep 0.02; done`,
];

const backToUser = ({ uid, gid }: Isolation['user']): string[] => [
  'unshare',
  '--user',
  `--map-user=${uid}`,
  `--map-group=${gid}`,
  '--',
];

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
