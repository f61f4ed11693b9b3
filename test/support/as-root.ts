/** What scenarios of root look at and do: the account that servers run as, files through its eyes, and a hostile one. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { fallibleMailDev } from './quick-product.ts';
import { freePorts, isRoot, makeSandbox, removeSandbox } from './sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from './scenario.ts';
import { set } from './steps.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The system user of that name, as the machine knows it. */
export const findAccount = (name: string): Account | undefined => {
  const { status, stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8' });
  const [, , uid, gid] = stdout.split(':');
  return status === 0 ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
};

export const isGroup = (name: string): boolean => spawnSync('getent', ['group', name]).status === 0;

/** Takes away what a test that failed half way left of an account. */
export const forgetAccount = (name: string): void => {
  spawnSync('userdel', ['--force', name]);
  spawnSync('groupdel', [name]);
};

const becoming = ({ uid, gid }: Account): string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--clear-groups',
  '--no-new-privs',
];

/** Runs a command as that account, with no right of ours. */
export const runAs = (account: Account, command: readonly string[], env: Record<string, string> = {}) =>
  spawnSync('setpriv', [...becoming(account), ...command], {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', ...env },
    maxBuffer: 64 * 1024 ** 2,
  });

/** A shell script that runs as that account until it is killed. */
export const hostile = (account: Account, script: string): ChildProcess =>
  spawn('setpriv', [...becoming(account), '/bin/sh', '-c', script], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/** Paths below a folder that the account finds with these tests of find(1); what it may not enter it does not find. */
export const foundBy = (account: Account, folder: string, ...tests: string[]): string[] =>
  runAs(account, ['find', folder, ...tests])
    .stdout.split('\n')
    .filter((line) => line !== '')
    .sort();

/** Fields of /proc/PID/status. */
export const statusOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );

/** Pids whose status holds that. */
export const processesWhere = (holds: (status: Record<string, string>) => boolean): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && holds(statusOf(pid));
      } catch {
        return false;
      }
    });

export const idsOf = (findings: readonly Document[] | undefined): string[] => (findings ?? []).map(({ id }) => id);

/** An instance of root's, from a MailDev whose start can be made to fail, and what its tests do again and again. */
export interface RootStage {
  readonly world: Scenario;
  readonly folder: string;
  readonly name: string;
  readonly userName: string;
  readonly product: string;
  readonly ports: Readonly<Record<string, number>>;
  place(...parts: string[]): string;
  account(): Account;
  /** Arguments of its installation. */
  install(...more: string[]): string[];
  /** Runs a command that has to succeed; its document. */
  fine(...args: string[]): Promise<Document>;
  healthy(version: string): Promise<void>;
  close(): Promise<void>;
}

/** Null, with the reason printed, where the tests do not run as root; never in CI. */
export const skipped = !isRoot && !process.env.CI;
if (skipped) process.stderr.write('skipped, servers of root: these tests do not run as root\n');

export const makeRootStage = async (suffix: string): Promise<RootStage> => {
  const folder = makeSandbox();
  const product = fallibleMailDev(folder);
  const world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`], { asRoot: true });
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const ports = { webPort, smtpPort };
  const name = `r${process.pid}${suffix}`;
  const userName = `assent-${name}`;
  const place = (...parts: string[]): string => world.path('instances', name, ...parts);
  const account = (): Account => {
    const found = findAccount(userName);
    if (found === undefined) throw new Error(`there is no user ${userName}`);
    return found;
  };
  const fine = async (...args: string[]): Promise<Document> => {
    const run = await world.json(args);
    expect(run, `${args.join(' ')}: ${run.stderr}`).toMatchObject({ exit: 0 });
    return run.document;
  };
  const healthy = async (version: string): Promise<void> => {
    const { instance } = await fine('status', name);
    expect(instance).toMatchObject({ version, state: 'running', health: 'healthy' });
  };
  const install = (...more: string[]): string[] => {
    const release = ['install', `${product}@2.2.1`, '--name', name, '--supervisor', 'process'];
    return [...release, ...set(ports), '--yes', ...more];
  };
  const close = async (): Promise<void> => {
    await world.run(['recover', name]);
    await world.run(['uninstall', name, '--purge', '--ack', 'purge-data', '--yes']);
    await endScenario(world);
    forgetAccount(userName);
    removeSandbox(folder);
  };
  return { world, folder, name, userName, product, ports, place, account, install, fine, healthy, close };
};
