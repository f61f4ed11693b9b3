/**
 * As root: a server gets a system user of its own, which owns its data and nothing else, and reads what it needs and no secret.
 * Skipped, with the reason printed, where the tests do not run as root.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  findAccount,
  forgetAccount,
  foundBy,
  idsOf,
  isGroup,
  makeRootStage,
  processesWhere,
  type RootStage,
  runAs,
  skipped,
  statusOf,
} from '../support/as-root.ts';
import { sendMail, subjectsBelow } from '../support/mail.ts';
import { programCopy } from '../support/program-copy.ts';
import { freePorts } from '../support/sandbox.ts';
import { readJson } from '../support/scenario.ts';
import { set } from '../support/steps.ts';

let stage: RootStage;
beforeAll(async () => {
  if (!skipped) stage = await makeRootStage('');
});
afterAll(async () => {
  if (skipped) return;
  const own = `${stage.name}-n`;
  await stage.world.run(['uninstall', own, '--purge', '--ack', 'purge-data', '--yes']);
  await stage.close();
  forgetAccount(`assent-${own}`);
});

const serverPid = (): number => readJson(stage.place('run/process.json')).child.pid;

describe.skipIf(skipped)('a server of root', () => {
  it('is refused where the group of its name is there and no user, and installable with the user', async () => {
    const { install, place, userName, world } = stage;
    onTestFinished(() => forgetAccount(userName));
    expect(spawnSync('groupadd', ['--system', userName]).status).toBe(0);
    const { exit, document } = await world.json(install());
    expect({ exit, error: document.error }).toMatchObject({ exit: 3, error: { code: 'refused-check' } });
    expect({ user: findAccount(userName), group: isGroup(userName) }).toEqual({ user: undefined, group: true });
    expect(existsSync(place('journal'))).toBe(false);
    const [, command = ''] = /make the user: (useradd .*?)\. If/.exec(document.error.advice) ?? [];
    expect(spawnSync('sh', ['-c', command]).status, document.error.advice).toBe(0);
    expect(
      (await world.json([...install(), '--dry-run'])).document.plan.map(({ id }: { id: string }) => id),
    ).not.toContain('account');
  });

  it('has its system user taken away with a first installation that is undone', async () => {
    const { install, place, userName, world } = stage;
    const child = world.start([...install(), '--verbose']);
    const closed = once(child, 'close') as Promise<[number | null]>;
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk) => `${chunk}`.includes('· start') && resolve());
      child.on('close', () => resolve());
    });
    expect(findAccount(userName)).toMatchObject({ name: userName });
    child.kill('SIGTERM');
    const [exit] = await closed;
    expect(exit).toBe(6);
    expect({ user: findAccount(userName), group: isGroup(userName) }).toEqual({ user: undefined, group: false });
    expect(existsSync(place('data'))).toBe(false);
  });

  it('runs as a system user, without any group or right besides', async () => {
    const { install, account, fine, healthy, place, product } = stage;
    const { notice } = await fine('telemetry', 'notice', `${product}@2.2.1`);
    await fine(...install('--telemetry=on', `--telemetry-notice=${notice.id}`));
    await healthy('2.2.1');
    const { uid, gid } = account();
    expect(uid).toBeLessThan(1000);
    expect(statusOf(serverPid())).toMatchObject({
      Uid: Array(4).fill(uid).join('\t'),
      Gid: Array(4).fill(gid).join('\t'),
      Groups: '',
      CapEff: '0000000000000000',
      CapPrm: '0000000000000000',
    });
    const ofRoot = processesWhere(
      ({ PPid, Uid }) => PPid === String(serverPid()) && Uid !== Array(4).fill(uid).join('\t'),
    );
    expect(ofRoot).toEqual([]);
    const password = readFileSync(place('secrets/webPassword'), 'utf8').trim();
    expect(readFileSync(`/proc/${serverPid()}/cmdline`, 'utf8')).not.toContain(password);
  });

  it('may write its data and nothing else', () => {
    const { account, place, world } = stage;
    const counts = place('telemetry/counts');
    const notData = (paths: readonly string[]): string[] =>
      paths.filter((path) => path !== '' && !`${path}/`.startsWith(place('data/')));
    const writable = foundBy(account(), world.home, '-writable', '!', '-type', 'l');
    expect(writable.length).toBeGreaterThan(0);
    // After a yes the server counts for itself, into a folder of its own below one that it can't list.
    expect(notData(writable)).toEqual([]);
    const own = spawnSync('find', [world.home, '-user', String(account().uid)], { encoding: 'utf8' }).stdout;
    expect(notData(own.split('\n'))).toEqual([counts]);
  });

  it('reads what it needs, and no secret, no name, no journal', () => {
    const { account, place } = stage;
    const readable = foundBy(account(), place(), '-type', 'f', '-readable', '!', '-path', place('data/*'));
    const inside = readable.map((path) => path.slice(place().length + 1));
    const allowed =
      /^(instance\.json|consent\.json|consent\.log|notices\/n[0-9a-f]{16}\.json|(config|run|logs|recover)\/.+)$/;
    expect(inside.filter((path) => !allowed.test(path))).toEqual([]);
    expect(inside).toEqual(
      expect.arrayContaining(['instance.json', 'consent.json', 'consent.log', 'config/server.env']),
    );
    for (const closed of ['secrets', 'secrets/webPassword', 'consent.users', 'config.base/server.env']) {
      expect(existsSync(place(closed)), closed).toBe(true);
      expect(runAs(account(), ['test', '-r', place(closed)]).status, closed).toBe(1);
    }
    expect(readFileSync(place('consent.log'), 'utf8')).not.toMatch(/"root"/);
    expect(readFileSync(place('consent.users'), 'utf8')).toContain('root');
  });

  it('gets the same answer about telemetry as root does', async () => {
    const { account, fine, name, world } = stage;
    const [program = ''] = readdirSync(world.path('runtimes/assent'));
    const files = readdirSync(world.path('runtimes/assent', program), { recursive: true, encoding: 'utf8' });
    const inside = (ends: string): string =>
      world.path('runtimes/assent', program, files.find((file) => file.endsWith(ends)) ?? '');
    const command = [
      inside('bin/node'),
      inside('main.mjs'),
      'telemetry',
      'status',
      name,
      '--json',
      '--home',
      world.home,
    ];
    const { stdout, stderr } = runAs(account(), command, { HOME: '/nonexistent' });
    const asked = (await fine('telemetry', 'status', name)).consent;
    expect(asked).toMatchObject({ state: 'accepted', collecting: true });
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout).consent).toEqual(asked);
  });

  it('has a configuration file that was removed put back as doctor advises, with the mode and group of before', async () => {
    const { name, place, world } = stage;
    const file = place('config/server.env');
    const attributes = () => (({ mode, uid, gid }) => ({ mode, uid, gid }))(lstatSync(file));
    const before = attributes();
    rmSync(file);
    const { findings } = (await world.json(['doctor', name])).document;
    const remedy = findings.find(({ id }: { id: string }) => id === 'config-missing')?.remedy;
    const [, command = ''] = /: (install .+), then: assent restart/.exec(remedy) ?? [];
    expect(spawnSync('sh', ['-c', command]).status, remedy).toBe(0);
    expect(attributes()).toEqual(before);
  });

  it('goes up, and back with the data of then and of now', async () => {
    const { account, fine, healthy, place, ports, name, world } = stage;
    await sendMail(ports.smtpPort ?? 0, 'before');
    await fine('upgrade', name, '--yes', '--telemetry=off');
    await healthy('3.0.0');
    await sendMail(ports.smtpPort ?? 0, 'between');
    expect(subjectsBelow(place('data'))).toEqual(['before', 'between']);
    await fine('rollback', name, '--yes');
    await healthy('2.2.1');
    expect(subjectsBelow(place('data')), 'the data of then').toEqual(['before']);
    await sendMail(ports.smtpPort ?? 0, 'after');
    await fine('rollback', name, '--data', 'now', '--ack', 'data-format', '--yes');
    await healthy('3.0.0');
    expect(subjectsBelow(place('data')), 'the data of now').toEqual(['after', 'before']);
    expect(lstatSync(place('data')).uid).toBe(account().uid);
    writeFileSync(place('sick-2.2.1'), '');
    const undone = await world.json(['rollback', name, '--yes']);
    rmSync(place('sick-2.2.1'));
    expect(undone.exit, undone.stderr).toBe(6);
    await healthy('3.0.0');
    expect(subjectsBelow(place('data'))).toEqual(['after', 'before']);
    expect(idsOf((await world.json(['doctor', name])).document.findings)).toEqual([]);
  });

  it('has no backup that its user could read but through its own data', () => {
    const { account, place } = stage;
    expect(runAs(account(), ['ls', place('backups')]).status).not.toBe(0);
    const [backup = ''] = readdirSync(place('backups'));
    for (const part of ['secrets', 'config.base']) {
      if (existsSync(place('backups', backup, part)))
        expect(runAs(account(), ['ls', place('backups', backup, part)]).status).not.toBe(0);
    }
  });
});

describe.skipIf(skipped)('without a supervisor', () => {
  it('runs as process 1, drops root, passes signals on and reaps', async () => {
    const { fine, product, userName, name, world } = stage;
    const own = `${name}-n`;
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    const ports = { webPort, smtpPort };
    await fine('install', `${product}@3.0.0`, '--name', own, '--supervisor', 'none', ...set(ports), '--yes');
    const command = ['--pid', '--fork', '--mount-proc', join(programCopy(), 'bin/assent'), 'run', own];
    const child = spawn('unshare', command, { env: world.env, stdio: 'pipe' });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const answers = async (): Promise<boolean> => {
      const url = `http://127.0.0.1:${webPort}/api/healthz`;
      return fetch(url).then(
        () => true,
        () => false,
      );
    };
    await expect.poll(answers, { timeout: 120_000 }).toBe(true);
    const [first = 0] = processesWhere(({ PPid }) => PPid === String(child.pid));
    expect(first).toBeGreaterThan(1);
    const { uid } = findAccount(`${userName}-n`) ?? { uid: -1 };
    const servers = processesWhere(({ Uid }) => Uid === Array(4).fill(uid).join('\t'));
    expect(servers).toHaveLength(1);
    expect(statusOf(servers[0] ?? 0)).toMatchObject({ Groups: '', CapEff: '0000000000000000' });
    // An orphan falls to process 1, which has to reap it.
    const orphaning = ['-t', String(first), '-p', 'sh', '-c', '(sleep 2 &) ; exit 0'];
    expect(spawnSync('nsenter', orphaning, { stdio: 'ignore' }).status).toBe(0);
    const orphans = (): number[] => processesWhere(({ Name, PPid }) => PPid === String(first) && Name === 'sleep');
    const [orphan = 0] = orphans();
    expect(orphan).toBeGreaterThan(1);
    await expect.poll(() => existsSync(`/proc/${orphan}`), { message: 'not even as a zombie' }).toBe(false);
    process.kill(first, 'SIGTERM');
    expect((await closed)[0]).toBe(0);
    expect(await answers()).toBe(false);
    expect(processesWhere(({ Uid }) => Uid === Array(4).fill(uid).join('\t'))).toEqual([]);
    await fine('uninstall', own, '--purge', '--ack', 'purge-data', '--yes');
    expect(findAccount(`${userName}-n`)).toBeUndefined();
    expect(existsSync(world.path('instances', own))).toBe(false);
  });
});
