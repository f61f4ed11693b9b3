/**
 * A server that is no Node program, from the yes to the withdrawal: a real nginx, installed by a user and by root, is counted from its access log by a
 * follower that exists as long as the yes, through rotation and truncation; then follower and counts are gone.
 */
import { existsSync, readdirSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { argumentsOf, listProcesses, ownerOf } from '../../src/system/process-table.ts';
import { forgetAccount } from '../support/as-root.ts';
import { awayFromTheFullHour } from '../support/clock.ts';
import { nginxProduct, noNginx } from '../support/nginx-product.ts';
import { lookAt } from '../support/running.ts';
import { freePort, isRoot, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { set } from '../support/steps.ts';
import { visit } from '../support/visits.ts';

const why = noNginx();
if (why !== undefined) console.log(`skipped: counting from the access log of a server that is installed, for ${why}`);
if (!isRoot) console.log('skipped: the same as root, for the tests are not run by root');

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';

describe.skipIf(why !== undefined).each([['a user', false] as const, ...(isRoot ? [['root', true] as const] : [])])(
  'installed by %s',
  (_, asRoot) => {
    const name = `p${process.pid}${asRoot ? 'r' : 'u'}`;
    let folder: string;
    let world: Scenario;
    let port: number;
    beforeAll(async () => {
      folder = makeSandbox();
      const product = nginxProduct(folder);
      world = await makeScenario([`${product}@3.0.0`], { asRoot });
      port = await freePort();
      const about = [`${product}@3.0.0`, ...set({ webPort: port })];
      const { id } = (await json('telemetry', 'notice', ...about)).notice;
      const yes = ['--yes', '--telemetry=on', `--telemetry-notice=${id}`];
      const installed = await json('install', ...about, '--name', name, '--supervisor', 'process', ...yes);
      expect(installed.consent).toMatchObject({ collecting: true });
    });
    afterAll(async () => {
      await world.run(['uninstall', name, '--purge', '--ack', 'purge-data', '--yes']);
      if (asRoot) forgetAccount(`assent-${name}`);
      await endScenario(world);
      removeSandbox(folder);
    });

    const json = async (...args: string[]): Promise<Document> => {
      const { exit, document, stderr } = await world.json(args);
      expect(exit, `${args.join(' ')}: ${stderr}`).toBe(0);
      return document;
    };
    const at = (...parts: string[]): string => world.path('instances', name, ...parts);
    const log = (): string => at('data/access.log');

    /** Those who follow this very log. */
    const followers = (): number[] => {
      const words = ['telemetry', 'follow', name, '--home', world.home].join('\0');
      return listProcesses()
        .map(({ pid }) => pid)
        .filter((pid) => argumentsOf(pid).join('\0').endsWith(words));
    };

    /** One follows, of the server's user, and a second has gone by: lines of the one in which it began are not counted. */
    const untilFollowed = async (): Promise<void> => {
      await eventually(() => {
        const [pid = 0, ...others] = followers();
        expect(others).toEqual([]);
        expect(ownerOf(pid)).toBe(statSync(log()).uid);
        expect(lookAt(pid)).toMatchObject({
          files: expect.arrayContaining([log(), at('telemetry/counts')]),
          reaching: [],
        });
      }, 30_000);
      await sleep(1_100);
    };

    const ask = async (client: number, path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await visit(port, client, path, { headers: { 'user-agent': firefox, ...headers } })).status;

    /** By then the follower, which looks ten times a second, has read what there is. */
    const read = (): Promise<unknown> => sleep(2000);

    /** Six people open a page; one more asks not to be counted. */
    const visited = async (): Promise<void> => {
      await awayFromTheFullHour();
      for (let client = 2; client <= 7; client += 1) expect(await ask(client, `/pages/${client}?q=1`)).toBe(200);
      await ask(8, '/pages/8', { 'sec-gpc': '1' });
      await read();
    };

    const parts = (): Document[] =>
      readdirSync(at('telemetry/counts')).map((file) => JSON.parse(readFileSync(at('telemetry/counts', file), 'utf8')));

    test('is counted from its log, which is renamed and truncated, and not any more after telemetry off', async () => {
      await untilFollowed();
      await visited();
      renameSync(log(), `${log()}.1`);
      await visited();
      process.kill(Number(readFileSync(at('data/nginx.pid'), 'utf8')), 'SIGUSR1');
      await eventually(() => expect(existsSync(log())).toBe(true));
      await visited();
      truncateSync(log());
      await read();
      await visited();

      await json('stop', name);
      expect(followers()).toEqual([]);
      const counters = parts().flatMap((part) => part.counters);
      expect(counters).toMatchObject([{ name: 'page-opened', total: 24, browser: { firefox: 24 } }]);

      await json('start', name);
      await untilFollowed();
      await visited();
      const off = await json('telemetry', 'off', name);
      expect(off.erased[0].files).toBeGreaterThan(0);
      await eventually(() => expect(followers()).toEqual([]));
      expect(readdirSync(at()).filter((entry) => entry.startsWith('telemetry'))).toEqual([]);
      await visited();
      await json('restart', name);
      await visited();
      await sleep(3_500);
      expect(followers()).toEqual([]);
      expect(existsSync(join(at(), 'telemetry'))).toBe(false);
    });
  },
);
