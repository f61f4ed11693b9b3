/**
 * Off means off, as a table: every answer x every veto x every history, with real files of consent, a real server in a process of its own that has in
 * its arguments what each supervisor would give it, six visitors, and strace looking on. Where the resolver says no there is not one
 * connection, look-up or file; and there is one row that has to be seen, or the table would prove nothing.
 * The same by servers that each supervisor really runs: off-means-off-live.test.ts, and under systemd systemd-telemetry.test.ts.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { consentForService } from '../../src/consent/for-service.ts';
import { consentOf } from '../../src/consent/gather.ts';
import { openTelemetry, openWindow } from '../../src/consent/telemetry-folder.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { readState, writeState } from '../../src/instance/state.ts';
import { loadProduct, pickRelease } from '../../src/product/catalogue.ts';
import type { Product } from '../../src/product/manifest.ts';
import type { StoredRelease } from '../../src/release/store.ts';
import { hostOf, type ServiceSpec, serviceSpec } from '../../src/service/spec.ts';
import { renderUnit } from '../../src/service/unit.ts';
import { realWorld } from '../../src/system/world.ts';
import { type CaseAnswer, conduct, finish, type Home, inMemory, makeHome, sure } from '../consent/support.ts';
import { awayFromTheFullHour } from '../support/clock.ts';
import { freePort, freePorts, sandbox } from '../support/sandbox.ts';
import { eventually } from '../support/service.ts';
import { visit } from '../support/visits.ts';

const yes: CaseAnswer = { by: 'prompt', say: 'yes', notice: 'current' };
const no: CaseAnswer = { by: 'prompt', say: 'no' };

const answers = {
  accepted: yes,
  declined: no,
  'not-asked': null,
  withdrawn: yes,
  invalid: yes,
} as const;
type State = keyof typeof answers;

const histories = {
  fresh: async (home: Home, answer: CaseAnswer | null) =>
    conduct(home, { change: 'install', ends: 'finished', answer }),
  upgraded: async (home: Home, answer: CaseAnswer | null) => {
    await conduct(home, { change: 'install', ends: 'finished', answer: yes });
    await conduct(home, { change: 'upgrade', ends: 'finished', answer });
  },
  'rolled back': async (home: Home, answer: CaseAnswer | null) => {
    await conduct(home, { change: 'install', ends: 'finished', answer: yes });
    await conduct(home, { change: 'upgrade', ends: 'finished', answer: yes });
    await conduct(home, { change: 'rollback', ends: 'finished', answer });
  },
  recovered: async (home: Home, answer: CaseAnswer | null) => {
    await conduct(home, { change: 'install', ends: 'finished', answer: yes });
    await conduct(home, { change: 'upgrade', ends: 'interrupted', answer });
    await finish(home);
  },
} as const;
type History = keyof typeof histories;

/** Written into the service by a change, or only there in the server's own process. */
const vetoes = ['none', 'by the change', 'in the process'] as const;

const rows = (Object.keys(histories) as History[]).flatMap((history) =>
  (Object.keys(answers) as State[]).flatMap((state) => vetoes.map((veto) => [history, state, veto] as const)),
);

const server = `
  import { createServer } from 'node:http';
  createServer((_, response) => response.end('ok')).listen(PORT, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
`;

const strace = spawnSync('strace', ['-V']).status === 0 ? undefined : 'strace is not installed';
let product: Product;
beforeAll(async () => {
  product = await loadProduct(realWorld(), 'maildev');
});

it('has a row for each', () => expect(rows).toHaveLength(60));

it.for(rows)('%s, %s, veto %s', async ([history, state, veto], { skip }) => {
  skip(strace !== undefined, strace);
  await awayFromTheFullHour();
  const folder = join(sandbox(inMemory), 'home');
  mkdirSync(folder);
  const home = makeHome(folder);
  await histories[history](home, answers[state]);
  if (veto === 'by the change') writeState(home.paths, { ...sure(readState(home.paths)), veto: '1' });
  followed(home);
  if (state === 'withdrawn') await withdraw(home.world, home.paths);
  if (state === 'invalid') rmSync(home.paths.consent);
  const answer = consentOf(home.world, home.paths);
  const spec = specOf(home);

  const isSeen = state === 'accepted' && veto === 'none';
  expect(answer).toMatchObject({ state, collecting: state === 'accepted' && veto !== 'by the change' });
  const isLoaded = state === 'accepted' && veto !== 'by the change';
  expect(spec.command.includes('--import')).toBe(isLoaded);
  expect(renderUnit(spec).includes('count-preload')).toBe(isLoaded);

  const outgoing = await visited(home, spec, veto === 'in the process' ? { DO_NOT_TRACK: '1' } : {});
  expect(outgoing).toEqual([]);
  const counts = existsSync(home.paths.counts) ? readdirSync(home.paths.counts) : [];
  expect(counts).toHaveLength(isSeen ? 1 : 0);
  if (isSeen) expect(readFileSync(join(home.paths.counts, String(counts[0])), 'utf8')).toContain('"total":6');
  if (!isLoaded && state !== 'invalid') expect(existsSync(home.paths.telemetry)).toBe(false);
  expect(existsSync(home.paths.reports)).toBe(false);
});

it('strace sees a server that connects, and one that looks a name up, in both ways', async ({ skip }) => {
  skip(strace !== undefined, strace);
  const folder = join(sandbox(inMemory), 'home');
  mkdirSync(folder);
  const home = makeHome(folder);
  await histories.fresh(home, no);
  const [recipient, names] = await freePorts(2);
  const outgoing = await visited(home, specOf(home), {}, talker(recipient ?? 0, names ?? 0));
  const to = (port: number | undefined) => outgoing.filter((call) => call.includes(`htons(${port})`));
  expect(to(recipient)).not.toEqual([]);
  expect(to(names)).not.toEqual([]);
  expect(outgoing.length, 'the look-up by the C library').toBeGreaterThan(to(recipient).length + to(names).length);
});

/** The same server, but before it listens it has tried to reach somebody. Without a network a look-up may take long: what counts is that it was begun. */
const talker = (recipient: number, names: number): string => `
  import { connect } from 'node:net';
  import { lookup, Resolver } from 'node:dns/promises';
  const reached = new Promise((done) => connect(${recipient}, '127.0.0.1').on('error', done));
  const resolver = new Resolver({ tries: 1, timeout: 1000 });
  resolver.setServers(['127.0.0.1:${names}']);
  const all = [reached, resolver.resolve4('assent.invalid'), lookup('assent.invalid')];
  await Promise.race([Promise.allSettled(all), new Promise((done) => setTimeout(done, 3000))]);
  ${server}`;

/** What a change does with the folder of the counts. */
const followed = (home: Home): void => {
  const state = sure(readState(home.paths));
  const { counting, own } = consentForService(home.world, home.paths, undefined, state.veto);
  if (counting) openTelemetry(home.paths, null);
  if (own) openWindow(home.world, home.paths, state.generation);
};

/** As every supervisor has it: the unit is written from it, a detached run and one in the foreground start it. */
const specOf = (home: Home): ServiceSpec => {
  const state = sure(readState(home.paths));
  const release = pickRelease(product, state.release.version);
  const node = process.execPath;
  const stored = { product, release, digest: state.release.digest, folder: '/nowhere', node } as StoredRelease;
  const settings = { webPort: 1, smtpPort: 2, listen: '127.0.0.1', webUser: 'admin' };
  const host = { ...hostOf(realWorld(), null), uid: 1000 };
  return serviceSpec(
    host,
    { ...state, settings },
    stored,
    home.paths,
    consentForService(home.world, home.paths, undefined, state.veto),
  );
};

/** Runs the server with the spec's arguments of Node, and gives every call by which it would have reached somebody. */
const visited = async (
  home: Home,
  spec: ServiceSpec,
  env: Record<string, string>,
  text: string = server,
): Promise<string[]> => {
  const [port, trace] = [await freePort(), join(home.folder, 'trace')];
  const script = spec.command.findIndex((part) => part.endsWith('.js') || part.includes('/bin/maildev'));
  const [node = '', ...options] = spec.command.slice(0, script);
  const command = [node, ...options, '--input-type=module', '-e', text.replace('PORT', String(port))];
  const calls = 'trace=connect,sendto,sendmsg,sendmmsg';
  const child = spawn('strace', ['-f', '-qq', '-e', calls, '-o', trace, ...command], { env, stdio: 'ignore' });
  const ended = new Promise((done) => child.on('exit', done));
  await eventually(() => visit(port, 9, '/api/email', { headers: { 'sec-gpc': '1' } }), 30_000);
  await new Promise((done) => setTimeout(done, 300));
  for (let visitor = 2; visitor <= 7; visitor += 1) await visit(port, visitor, '/api/email');
  spawnSync('pkill', ['-TERM', '-P', String(child.pid)]);
  await ended;
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => /connect\(|send(to|msg|mmsg)\(/.test(line));
};

it('runs what is built here', () => expect(existsSync(resolve('dist/count-preload.mjs'))).toBe(true));
