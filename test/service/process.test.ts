/** The process supervisor against real servers: started, restarted, stopped, killed and found again. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { processSupervisor } from '../../src/service/process.ts';
import { readRecord } from '../../src/service/process-record.ts';
import { isLocked } from '../../src/system/lock.ts';
import { identify, isAlive, signalProcess } from '../../src/system/processes.ts';
import { mountTmpfs } from '../support/mounts.ts';
import { asRoot } from '../support/sandbox.ts';
import { account, eventually, testService } from '../support/service.ts';

const uid = process.geteuid?.() ?? 0;
/** Zombies do not live: who reaps them is up to the machine's init. */
const lives = (pid: number): boolean => identify(pid) !== undefined;
const get = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
const pidOf = async (port: number): Promise<number> => Number((await get(port)).split(' ').at(-1));
const collect = async (lines: AsyncIterable<string>): Promise<string[]> => {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
};

test('starts the server, sees it, stops it and leaves nothing', async () => {
  const { spec, port, paths } = await testService();
  await processSupervisor.start(spec);
  const observed = await processSupervisor.observe(spec);
  expect(observed).toMatchObject({ state: 'running', restarts: 0 });
  expect(await eventually(() => pidOf(port))).toBe(observed.main?.pid);
  expect(readRecord(paths, uid)).toMatchObject({
    phase: 'running',
    generation: 1,
    digest: spec.digest,
    child: observed.main,
  });
  await processSupervisor.stop(spec);
  expect(isAlive(observed.main!)).toBe(false);
  expect(await processSupervisor.observe(spec)).toEqual({ state: 'stopped', restarts: 0 });
  await processSupervisor.stop(spec);
  expect((await collect(processSupervisor.logs(spec, { lines: 50, follow: false }))).join('\n')).toMatch(
    /assent: started Web 1\.0\.0 \(mail\), generation 1, process \d+\nlistening as \d+\n.* assent: ended by SIGTERM$/,
  );
});

test('the server gets the environment of its spec and nothing of ours', async () => {
  const { spec, port, paths } = await testService();
  process.env.NOTIFY_SOCKET = '/run/nobody-listens';
  onTestFinished(() => {
    delete process.env.NOTIFY_SOCKET;
  });
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  expect(JSON.parse(readFileSync(join(paths.data, 'environment.json'), 'utf8'))).toEqual(spec.environment);
});

test('as root the server runs as the account, without supplementary groups', async ({ skip }) => {
  asRoot(skip);
  const { spec, port, paths } = await testService();
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  const ids = JSON.parse(readFileSync(join(paths.data, 'ids.json'), 'utf8'));
  expect(ids).toMatchObject({ uid: account?.uid, gid: account?.gid, groups: [account?.gid] });
});

test('as root nothing runs without an account', async ({ skip }) => {
  asRoot(skip);
  const { with: change } = await testService();
  await expect(processSupervisor.start(change({ account: null }))).rejects.toThrow(/never runs as root/);
});

test('a server that dies is started again after 1, then 2 seconds', async () => {
  const { spec, port, paths } = await testService();
  await processSupervisor.start(spec);
  for (const restarts of [1, 2]) {
    const main = await eventually(() => pidOf(port));
    process.kill(main, 'SIGKILL');
    const died = performance.now();
    await eventually(async () => expect(await pidOf(port)).not.toBe(main));
    expect(performance.now() - died).toBeGreaterThan(restarts * 1000 - 100);
    expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'running', restarts });
  }
  const said = readFileSync(join(paths.logs, 'server.log'), 'utf8');
  expect(said.match(/starting again in \d+ s/g)).toEqual(['starting again in 1 s', 'starting again in 2 s']);
});

test('a stop during the pause before a restart does not wait for the restart', async () => {
  const { spec, paths } = await testService('web.mjs', ['crash']);
  await processSupervisor.start(spec);
  const starts = () => readFileSync(join(paths.logs, 'server.log'), 'utf8').match(/starting again in \d+ s/g) ?? [];
  await eventually(() => expect(starts()).toContain('starting again in 4 s'));
  const before = starts().length;
  await processSupervisor.stop(spec);
  expect(starts()).toHaveLength(before);
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'stopped' });
});

test('a server that ignores its signal is killed after its time, with what it started in a session of its own', async () => {
  const { with: change, port, paths } = await testService('web.mjs', ['ignore-term', 'grandchild']);
  const spec = change({ stopSeconds: 1 });
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  const grandchild = Number(readFileSync(join(paths.data, 'grandchild.pid'), 'utf8'));
  expect(lives(grandchild)).toBe(true);
  const began = performance.now();
  await processSupervisor.stop(spec);
  expect(performance.now() - began).toBeGreaterThan(950);
  expect(lives(grandchild)).toBe(false);
  await expect(get(port)).rejects.toThrow();
});

test('what a dead server left behind is ended before the next one starts', async () => {
  const { spec, port, paths } = await testService('web.mjs', ['grandchild']);
  await processSupervisor.start(spec);
  const main = await eventually(() => pidOf(port));
  const grandchild = Number(readFileSync(join(paths.data, 'grandchild.pid'), 'utf8'));
  process.kill(main, 'SIGKILL');
  await eventually(async () =>
    expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'running', restarts: 1 }),
  );
  expect(lives(grandchild)).toBe(false);
});

test.each(['start', 'stop'] as const)(
  'a supervisor that was killed leaves a server that %s finds and ends',
  async (action) => {
    const { spec, port, paths } = await testService('web.mjs', ['grandchild']);
    await processSupervisor.start(spec);
    const orphan = await eventually(() => pidOf(port));
    signalProcess(readRecord(paths, uid)!.supervisor, 'SIGKILL');
    await eventually(() => expect(isAlive(readRecord(paths, uid)!.supervisor)).toBe(false));
    expect(await pidOf(port)).toBe(orphan);
    expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'running', main: { pid: orphan } });
    await processSupervisor[action](spec);
    expect(lives(orphan)).toBe(false);
    if (action === 'stop') await expect(get(port)).rejects.toThrow();
    else expect(await eventually(() => pidOf(port))).not.toBe(orphan);
  },
);

test('a server is found although the record was lost between its birth and its entry', async () => {
  const { spec, port, paths } = await testService();
  await processSupervisor.start(spec);
  const orphan = await eventually(() => pidOf(port));
  const record = readRecord(paths, uid)!;
  signalProcess(record.supervisor, 'SIGKILL');
  await eventually(() => expect(isAlive(record.supervisor)).toBe(false));
  writeFileSync(join(paths.run, 'process.json'), JSON.stringify({ ...record, child: null, phase: 'starting' }));
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'running', main: { pid: orphan } });
  await processSupervisor.stop(spec);
  expect(lives(orphan)).toBe(false);
});

test('a record that another process of the same number stands in harms nobody', async () => {
  const { spec, paths } = await testService();
  const stranger = { pid: process.pid, startTime: '1', bootId: 'another' };
  const record = {
    format: 1,
    supervisor: stranger,
    child: stranger,
    phase: 'running',
    generation: 1,
    digest: spec.digest,
    restarts: 0,
  };
  writeFileSync(join(paths.run, 'process.json'), JSON.stringify(record));
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'failed' });
  await processSupervisor.stop(spec);
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'stopped' });
});

test('a record that the server itself could have written is not believed', async ({ skip }) => {
  asRoot(skip);
  const { spec, paths } = await testService();
  const victim = spawnSync('sh', ['-c', 'sleep 30 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' });
  const identity = identify(Number(victim.stdout))!;
  onTestFinished(() => void signalProcess(identity, 'SIGKILL'));
  const forged = {
    format: 1,
    supervisor: identity,
    child: identity,
    phase: 'running',
    generation: 1,
    digest: spec.digest,
    restarts: 0,
  };
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'tee', join(paths.run, 'process.json')], {
    input: JSON.stringify(forged),
  });
  await processSupervisor.stop(spec);
  expect(isAlive(identity)).toBe(true);
});

test('a server that can not be started at all is a failed one, and its log says why', async () => {
  const { with: change } = await testService();
  const spec = change({ command: ['/no/such/program'] });
  await processSupervisor.start(spec);
  expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'failed' });
  expect((await collect(processSupervisor.logs(spec, { lines: 9, follow: false }))).join('\n')).toMatch(
    /can't be started.*ENOENT/,
  );
});

test('a server that is run where nobody here can see it is not taken for stopped', async () => {
  const { spec, paths } = await testService();
  await processSupervisor.start(spec);
  await processSupervisor.stop(spec);
  const lock = join(paths.home, 'locks', `${spec.instance}.supervisor.lock`);
  const elsewhere = spawn('flock', ['-x', lock, 'sleep', '60']);
  onTestFinished(() => void spawnSync('pkill', ['-KILL', '-P', String(elsewhere.pid)]));
  await eventually(() => expect(isLocked(lock)).toBe(true));
  for (const act of ['stop', 'start'] as const)
    await expect(processSupervisor[act](spec), act).rejects.toMatchObject({ code: 'instance-busy' });
});

test('commands that prepare run before the server, as its user; one that fails keeps it down', async () => {
  const { with: change, port, paths } = await testService();
  const spec = change({ prepare: [['/bin/sh', '-c', 'id -u > prepared; echo $HOME >> prepared']] });
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  expect(readFileSync(join(paths.data, 'prepared'), 'utf8')).toBe(`${account?.uid ?? uid}\n${paths.data}\n`);
  await processSupervisor.stop(spec);
  const failing = change({ prepare: [['/bin/sh', '-c', 'echo the disk is full >&2; exit 4']] });
  await processSupervisor.start(failing);
  expect(await processSupervisor.observe(failing)).toMatchObject({ state: 'failed' });
  const log = (await collect(processSupervisor.logs(failing, { lines: 3, follow: false }))).join('\n');
  expect(log).toMatch(/can't be started: .*ended with 4: the disk is full/);
});

test('a server that dies while the disk is full is started again once there is room', async ({ skip }) => {
  const { spec, port, paths } = await testService();
  mountTmpfs(skip, paths.run, 'size=16k,mode=0755');
  await processSupervisor.start(spec);
  const first = await eventually(() => pidOf(port));
  const filler = join(paths.run, 'filler');
  expect(() => writeFileSync(filler, Buffer.alloc(1_000_000))).toThrow('ENOSPC');
  process.kill(first, 'SIGKILL');
  await eventually(() => expect(readFileSync(join(paths.logs, 'server.log'), 'utf8')).toContain('be written down'));
  rmSync(filler);
  expect(await eventually(() => pidOf(port), 20_000)).not.toBe(first);
  await eventually(async () =>
    expect(await processSupervisor.observe(spec)).toMatchObject({ state: 'running', restarts: 1 }),
  );
  // Before its folder goes with that disk.
  await processSupervisor.stop(spec);
}, 40_000);

test('50 MB of logs are rotated: no file above its limit, the newest lines kept', async () => {
  const { spec, paths } = await testService('web.mjs', ['flood=50000000']);
  await processSupervisor.start(spec);
  await eventually(() => expect(readFileSync(join(paths.logs, 'server.log'), 'utf8')).toContain('flood over'), 20_000);
  const files = readdirSync(paths.logs).sort();
  expect(files).toEqual(
    ['server.log', ...[1, 2, 3, 4, 5].map((number) => `server.log.${number}`)].slice(0, files.length),
  );
  expect(files.length).toBeGreaterThanOrEqual(5);
  for (const file of files) expect(statSync(join(paths.logs, file)).size).toBeLessThanOrEqual(10_000_000);
}, 40_000);

test('logs follow what is written', async () => {
  const { spec, port } = await testService();
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  const until = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of processSupervisor.logs(spec, { lines: 1, follow: true, until: until.signal }))
      seen.push(line);
  })();
  await eventually(() => expect(seen.at(-1)).toMatch(/listening as/));
  await processSupervisor.stop(spec);
  await eventually(() => expect(seen.at(-1)).toMatch(/ended by SIGTERM/));
  until.abort();
  await following;
});

test('a link where the log should be is not followed', async ({ skip }) => {
  asRoot(skip);
  const { spec, port, paths } = await testService();
  const target = join(paths.home, 'precious');
  writeFileSync(target, 'precious');
  symlinkSync(target, join(paths.logs, 'server.log'));
  await processSupervisor.start(spec);
  await eventually(() => get(port));
  expect(readFileSync(target, 'utf8')).toBe('precious');
});
