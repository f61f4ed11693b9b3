/** What a box is booted from: a Debian that debootstrap makes, and the tools, unpacked from their packages. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const cache = resolve('node_modules/.cache/assent-box');
export const tree = join(cache, 'bookworm');
export const tools = join(cache, 'tools');
const packages = 'systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps';

/** Once per machine, about a minute: the tools, then the tree, each under its name only when it is complete. */
export const makeTree = (): void => {
  mkdirSync(cache, { recursive: true });
  if (!existsSync(tools)) makeTools();
  if (existsSync(tree)) return;
  const staging = mkdtempSync(join(cache, 'staging-'));
  const env = { PATH: process.env.PATH, DEBOOTSTRAP_DIR: join(tools, 'usr/share/debootstrap') };
  const from = mirror();
  must(
    'sh',
    [
      join(tools, 'usr/sbin/debootstrap'),
      '--variant=minbase',
      `--include=${packages}`,
      from.codename,
      staging,
      from.site,
    ],
    env,
  );
  must('chroot', [staging, 'useradd', '--create-home', '--uid', '1000', 'alice']);
  renameSync(staging, tree);
};

const makeTools = (): void => {
  // apt fetches as a user of its own, who can't enter every folder.
  const download = mkdtempSync(join(tmpdir(), 'assent-tools-'));
  must('chmod', ['0777', download]);
  // A fresh machine has no lists of packages yet.
  if (spawnSync('apt-cache', ['show', 'debootstrap', 'systemd-container']).status !== 0) must('apt-get', ['update']);
  must('apt-get', ['download', 'debootstrap', 'systemd-container'], process.env, download);
  const staging = mkdtempSync(join(cache, 'staging-'));
  for (const name of readdirSync(download)) must('dpkg', ['-x', join(download, name), staging]);
  renameSync(staging, tools);
  rmSync(download, { recursive: true });
};

/** Where this machine itself gets its packages from. */
const mirror = (): { site: string; codename: string } => {
  const { stdout } = spawnSync(
    'apt-get',
    ['indextargets', '--format', '$(SITE) $(CODENAME) $(COMPONENT)', 'Created-By: Packages'],
    { encoding: 'utf8' },
  );
  const line = stdout.split('\n').find((text) => / bookworm main$/.test(text));
  if (line === undefined) throw new Error('apt knows no source of Debian bookworm: run apt-get update');
  return { site: line.split(' ')[0] as string, codename: 'bookworm' };
};

const must = (command: string, args: string[], env: NodeJS.ProcessEnv = process.env, cwd = '/'): void => {
  const { status, stdout, stderr } = spawnSync(command, args, { env, cwd, encoding: 'utf8', maxBuffer: 64e6 });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stdout.slice(-2000)}${stderr}`);
};
