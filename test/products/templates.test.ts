/** The code that some products' configuration holds: run for real, on real files and sockets, rendered as for an instance. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeFile } from '../../src/change/merge.ts';
import { render, type View } from '../../src/product/template.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-templates-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (template: string, file: string, view: View): string => {
  const path = join(folder, file);
  writeFileSync(path, render(readFileSync(join('products', template), 'utf8'), view, template));
  return path;
};

describe('maildev: server.env', () => {
  const rendered = (webPassword: string): string =>
    readFileSync(
      write('maildev/templates/server.env', 'server.env', { webUser: 'admin', secret: { webPassword } }),
      'utf8',
    );

  test('lines of your own at its end and another password merge', () => {
    const own = 'MAILDEV_OUTGOING_HOST=smtp.example.org\n';
    expect(mergeFile(rendered('before'), rendered('before') + own, rendered('after'))).toEqual({
      kind: 'write',
      content: rendered('after') + own,
      merged: true,
    });
  });
});

describe('haraka: queue/maildir', () => {
  const OK = 906;
  const DENYSOFT = 903;
  const message = Buffer.from('Subject: hi\r\n\r\nhello\r\n');

  /** What Haraka hands to a plugin, and what the plugin answers. */
  const queue = async (mail: string, ...recipients: [user: string, host: string][]): Promise<number> => {
    Object.assign(globalThis, { OK, DENYSOFT });
    const plugin = createRequire(import.meta.url)(write('haraka/templates/common/maildir.js', 'maildir.cjs', {}));
    const self = { ...plugin, config: { get: () => ({ main: { folder: mail } }) } };
    self.register();
    const transaction = {
      uuid: 'ABC.1',
      rcpt_to: recipients.map(([user, host]) => ({ user, host })),
      message_stream: { get_data: (done: (bytes: Buffer) => void) => done(message) },
    };
    const connection = { transaction, lognotice: () => {}, logerror: () => {} };
    return new Promise((resolve) => self.hook_queue(resolve, connection));
  };

  test('stores one copy for each mailbox, under new, and nothing stays in tmp', async () => {
    const mail = join(folder, 'mail');
    expect(await queue(mail, ['Anna', 'example.org'], ['anna', 'EXAMPLE.org'], ['bert', 'example.org'])).toBe(OK);
    expect(readdirSync(mail).sort()).toEqual(['anna@example.org', 'bert@example.org']);
    const [name = ''] = readdirSync(join(mail, 'anna@example.org/new'));
    expect(readFileSync(join(mail, 'anna@example.org/new', name))).toEqual(message);
    expect(readdirSync(join(mail, 'bert@example.org/tmp'))).toEqual([]);
  });

  test.each(['../../etc/x', '..', '.hidden', '"a b"', 'ü', '/', 'x'.repeat(400)])(
    'keeps the local part %j below its folder',
    async (user) => {
      const mail = join(folder, 'mail');
      expect(await queue(mail, [user, 'example.org'])).toBe(OK);
      expect(readdirSync(folder).sort()).toEqual(['mail', 'maildir.cjs']);
      expect(readdirSync(mail)).toHaveLength(1);
      expect(readdirSync(mail)[0]).toMatch(/^[a-z0-9%][\w@.%+=-]*$/);
    },
  );

  test('defers what it can not store, so that the sender keeps it', async () => {
    writeFileSync(join(folder, 'mail'), 'a file stands in the way');
    expect(await queue(join(folder, 'mail'), ['anna', 'example.org'])).toBe(DENYSOFT);
  });
});

describe('node-red: settings.js', () => {
  const load = () => {
    const view = {
      webUser: 'admin',
      listen: '127.0.0.1',
      webPort: 1880,
      secret: { webPassword: `a'b"c\\d`, credentialSecret: 'key' },
    };
    write('node-red/templates/admin-password', 'admin-password', view);
    write('node-red/templates/credential-secret', 'credential-secret', view);
    return createRequire(import.meta.url)(write('node-red/templates/settings.js', 'settings.cjs', view));
  };

  /** A request as the admin API sees it, and the user that its token gives. */
  const userOf = async (headers: Record<string, string>, from = '127.0.0.1') => {
    const settings = load();
    const request = { headers: { ...headers }, socket: { remoteAddress: from, localAddress: '127.0.0.1' } };
    settings.httpAdminMiddleware(request, {}, () => {});
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    return scheme === 'Bearer' ? settings.adminAuth.tokens(token) : null;
  };
  const basic = (password: string) => ({
    authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
  });

  test('lets the editor in with the password, whatever characters it has, and with nothing else', async () => {
    const { adminAuth, credentialSecret } = load();
    expect(await adminAuth.authenticate('admin', `a'b"c\\d`)).toEqual({ username: 'admin', permissions: '*' });
    for (const wrong of ['', undefined, `a'b"c\\d\n`, 'x'])
      expect(await adminAuth.authenticate('admin', wrong)).toBeNull();
    expect(await adminAuth.authenticate('other', `a'b"c\\d`)).toBeNull();
    expect(credentialSecret).toBe('key');
  });

  test('basic authentication reads the settings only, from this machine only, and not through a proxy', async () => {
    expect(await userOf(basic(`a'b"c\\d`))).toMatchObject({ permissions: 'settings.read' });
    expect(await userOf(basic('wrong'))).toBeNull();
    expect(await userOf(basic(`a'b"c\\d`), '192.0.2.7')).toBeNull();
    expect(await userOf({ ...basic(`a'b"c\\d`), 'x-forwarded-for': '192.0.2.7' })).toBeNull();
    expect(await userOf({ ...basic(`a'b"c\\d`), forwarded: 'for=192.0.2.7' })).toBeNull();
  });
});

describe('actual: first-password.mjs', () => {
  /** A server that is bootstrapped or not; gives what was posted to it. */
  const runAgainst = async (bootstrapped: boolean): Promise<string[]> => {
    const posted: string[] = [];
    const server = createServer(async (request, response) => {
      if (request.method === 'POST') posted.push(`${request.url} ${await bodyOf(request)}`);
      response
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ status: 'ok', data: { bootstrapped } }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    mkdirSync(folder, { recursive: true });
    write('actual/templates/first-password.txt', 'first-password.txt', { secret: { webPassword: `a'b"c\\d` } });
    const script = write('actual/templates/first-password.mjs', 'first-password.mjs', { urls: { web } });
    await promisify(execFile)(process.execPath, ['--import', script, '-e', 'setTimeout(() => {}, 1000)']);
    server.close();
    return posted;
  };

  test('sets the generated password, whatever characters it has, where there is none', async () => {
    expect(await runAgainst(false)).toEqual([`/account/bootstrap ${JSON.stringify({ password: `a'b"c\\d` })}`]);
  });

  test('leaves a password alone that is there', async () => {
    expect(await runAgainst(true)).toEqual([]);
  });
});

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
};
