/**
 * Prosody killed with SIGKILL behind the writes of its journal that matter, in an upgrade and in its rollback: afterwards `recover` ends in the release, the data,
 * the configuration and the answers of before, or behind the commit in those of after; never between.
 *
 * Each write behind which the server, its data or its configuration are others is tried in one of the two changes: both make the same ones. What is undone needs no
 * preparing anew, so there is one installation for all.
 */

import { appendFileSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { crashed } from '../support/crash.ts';
import { type Looks, leftovers, looksOf } from '../support/oracle.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { change, set } from '../support/steps.ts';
import { logInQuickly } from '../support/xmpp.ts';

const begin = (step: string): string => `"entry":"begin","step":"${step}"`;
const done = (step: string): string => `"entry":"done","step":"${step}"`;

/** Behind these the change is undone. */
const killed = {
  upgrade: [
    begin('data'),
    done('config'),
    begin('current'),
    done('state'),
    begin('consent'),
    done('start'),
    begin('health'),
  ],
  rollback: [
    done('data'),
    begin('config'),
    done('current'),
    begin('state'),
    done('consent'),
    begin('start'),
    done('health'),
  ],
} as const;
const commit = '"entry":"commit"';

const domain = 'chat.example';

it('is old or new after a kill in an upgrade and in its rollback', { timeout: 600_000 }, async () => {
  const chat = await installed();
  await says(chat, 'before');
  const before = await looks(chat);
  expect(before.answers).toBe('page 200 with its script, Prosody 0.12.3, archive: before');

  await survives(chat, 'upgrade', before);
  await says(chat, 'after');
  const upgraded = await looks(chat);
  expect(upgraded.answers).toBe('page 200 with its script, Prosody 13.0.1, archive: before, after');
  expect(upgraded.parts['config']).not.toBe(before.parts['config']);

  await survives(chat, 'rollback', upgraded);
  const { state: _, ...back } = await looks(chat);
  const { state: __, ...then } = before;
  expect(back, 'the rollback took the data of then').toEqual(then);
});

interface Chat {
  readonly world: Scenario;
  readonly webPort: number;
}

const installed = async (): Promise<Chat> => {
  const product = quickProduct(sandbox(), 'prosody');
  const world = await scenario([`${product}@0.12.3`, `${product}@13.0.1`]);
  const [clientPort = 0, federationPort = 0, webPort = 0] = await freePorts(3);
  await change(world, 'install', `${product}@0.12.3`, ...set({ domain, clientPort, federationPort, webPort }));
  appendFileSync(world.path('instances/prosody/config/prosody.cfg.lua'), '\nmax_history_messages = 25 -- ours\n');
  return { world, webPort };
};

/** Killed behind each of the writes that an undo follows, and at last behind the commit. */
const survives = async ({ world, webPort }: Chat, kind: keyof typeof killed, before: Looks): Promise<void> => {
  for (const write of [...killed[kind], commit]) {
    const what = `${kind} killed behind ${write}`;
    const run = await crashed(world, [kind, 'prosody', '--yes', '--telemetry=off'], write);
    expect(run.signal, `${what}: ${run.stderr}`).toBe('SIGKILL');
    const { document } = await world.json(['recover', 'prosody']);
    expect(document, what).toMatchObject({ ok: true, outcome: 'recovered', instance: { health: 'healthy' } });
    expect(leftovers(world, 'prosody'), what).toEqual([]);
    const now = await looks({ world, webPort });
    if (write === commit) expect(now.current, what).not.toBe(before.current);
    else expect(now, what).toEqual(before);
  }
};

/** What a running server changes by itself: its socket, its own timetables, and what the health check sends to itself at each start. */
const volatile = /^prosody\.sock$|\/(cron|upload_stats)\.dat$|\/archive_cleanup\/|\/archive\/assent%2dhealth\./;

const looks = (chat: Chat): Promise<Looks> => looksOf(chat.world, 'prosody', () => answersOf(chat), volatile);

/** The page with its script, who says that they are the server, and what the administrator's archive has. */
const answersOf = async ({ world, webPort }: Chat): Promise<string> => {
  const page = await fetch(`http://127.0.0.1:${webPort}/`);
  const script = await fetch(`http://127.0.0.1:${webPort}/dist/converse.min.js`);
  const isWhole = (await script.text()).length > 500_000;
  const session = await logInQuickly(webPort, accountIn(world));
  const [version, archive] = [await session.version(), await session.archive()];
  session.close();
  return `page ${page.status} ${isWhole ? 'with' : 'without'} its script, Prosody ${version}, archive: ${[...new Set(archive)].join(', ')}`;
};

/** The administrator, to herself. */
const says = async ({ world, webPort }: Chat, body: string): Promise<void> => {
  const session = await logInQuickly(webPort, accountIn(world));
  await session.toMyself(body);
  expect(await session.archive()).toContain(body);
  session.close();
};

const accountIn = (world: Scenario) => {
  const password = readFileSync(world.path('instances/prosody/secrets/adminPassword'), 'utf8').trim();
  return { user: 'admin', domain, password };
};
