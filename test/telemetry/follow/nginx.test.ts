/**
 * A real nginx writes the log: it is asked by a dozen clients with addresses of their own, its log is renamed in the middle and opened anew, and what
 * the real command leaves on disk is what was asked.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { AccessLog } from '../../../src/product/manifest.ts';
import type { Home } from '../../consent/support.ts';
import { awayFromTheFullHour } from '../../support/clock.ts';
import { followedInstance, partsOf, startFollower, untilItCounts } from '../../support/followed.ts';
import { nginx, noNginx } from '../../support/nginx-product.ts';
import { freePort, sandbox } from '../../support/sandbox.ts';
import { visit } from '../../support/visits.ts';

const why = noNginx();
if (why !== undefined) console.log(`skipped: a real nginx that writes the log, for ${why}`);

const formats: readonly { readonly log: AccessLog; readonly written: string }[] = [
  {
    log: { file: '{{data}}/access.log', format: 'combined', signals: true },
    written: `'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
              '"$http_referer" "$http_user_agent" "$http_sec_gpc" "$http_dnt"'`,
  },
  {
    log: {
      file: '{{data}}/access.log',
      format: 'json',
      signals: false,
      fields: { gpc: 'http_sec_gpc', dnt: 'http_dnt' },
    },
    written: `escape=json '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","request_method":"$request_method",'
              '"request_uri":"$request_uri","status":$status,"http_user_agent":"$http_user_agent",'
              '"http_sec_gpc":"$http_sec_gpc","http_dnt":"$http_dnt"}'`,
  },
];

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

interface Server {
  readonly child: ChildProcess;
  /** Asks from 127.0.0.CLIENT; the status. */
  readonly ask: (client: number, path: string, headers?: Record<string, string>, method?: string) => Promise<number>;
}

const startNginx = async (home: Home, format: string): Promise<Server> => {
  const prefix = sandbox();
  mkdirSync(join(prefix, 'temp'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    join(prefix, 'nginx.conf'),
    `daemon off; worker_processes 2; pid ${prefix}/pid; error_log ${prefix}/error.log;
     ${process.geteuid?.() === 0 ? 'user root;' : ''}
     events {}
     http {
       ${temporary.map((name) => `${name}_temp_path ${prefix}/temp;`).join(' ')}
       log_format counted ${format};
       access_log ${home.paths.data}/access.log counted;
       server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } location /gone { return 404; } }
     }`,
  );
  const child = spawn(nginx ?? '', ['-p', prefix, '-c', join(prefix, 'nginx.conf'), '-e', join(prefix, 'error.log')], {
    stdio: 'ignore',
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  const ask: Server['ask'] = async (client, path, headers = {}, method = 'GET') =>
    (await visit(port, client, path, { method, headers })).status;
  await expect
    .poll(() => ask(99, '/').catch(() => readFileSync(join(prefix, 'error.log'), 'utf8')), { timeout: 10_000 })
    .toBe(200);
  return { child, ask };
};

test.skipIf(why !== undefined).each(formats)(
  'nginx writes $log.format: the part holds what was asked',
  {
    timeout: 120_000,
  },
  async ({ log, written }) => {
    await awayFromTheFullHour(40_000);
    const home = await followedInstance(log);
    const file = join(home.paths.data, 'access.log');
    const { child, ask } = await startNginx(home, written);
    for (let client = 2; client < 30; client += 1) await ask(client, '/api/email', { 'User-Agent': firefox });
    const follower = startFollower(home);
    await untilItCounts(follower, home, file);

    const round = async (): Promise<void> => {
      for (let client = 2; client <= 7; client += 1) await ask(client, '/api/email?q="ä\\', { 'User-Agent': firefox });
      for (let client = 12; client <= 16; client += 1) await ask(client, '/api/email/', { 'User-Agent': chrome });
      await ask(40, '/api/email', { 'User-Agent': firefox, 'Sec-GPC': '1' });
      await ask(41, '/api/email', { 'User-Agent': firefox, DNT: '1' });
      for (let client = 2; client <= 7; client += 1) await ask(client, `/style.${client}.css`);
      expect(await ask(2, '/gone')).toBe(404);
      await ask(2, '/api/email', {}, 'DELETE');
    };
    await round();
    renameSync(file, `${file}.1`);
    await round();
    child.kill('SIGUSR1');
    await expect.poll(() => existsSync(file)).toBe(true);
    await round();
    await sleep(700);

    follower.child.kill('SIGTERM');
    expect((await follower.ended).code).toBe(0);
    const counters = partsOf(home).flatMap((part) => part.counters);
    const logs = [file, `${file}.1`].map((each) => readFileSync(each, 'utf8')).join('---\n');
    expect(counters, logs).toMatchObject([{ name: 'mailbox-opened', total: 33, browser: { firefox: 18, chrome: 15 } }]);
    expect(Object.values(counters[0]?.hour ?? {})).toEqual([33]);
    expect(spawnSync('grep', ['-rF', '127.0.0.', home.paths.telemetry]).status).toBe(1);
  },
);
