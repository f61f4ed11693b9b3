/** The checks that a manifest asks `doctor` for, against certificates, TLS servers, ports and processes that are really there. */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer as listenOn } from 'node:net';
import { join } from 'node:path';
import { createServer as listenSecurely } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { declaredChecks } from '../../../src/change/doctor/declared-checks.ts';
import type { Found, Patient } from '../../../src/change/doctor/finding.ts';
import type { DoctorCheck } from '../../../src/product/manifest.ts';
import { srvRecords } from '../../../src/system/names.ts';
import { sandbox } from '../../support/sandbox.ts';

const condition = { when: [], unless: [] };

/** What checks look at of an installed instance. */
const patientWith = (
  folder: string,
  now: Date,
  main: number | undefined,
  doctor: DoctorCheck[],
  files: Record<string, string> = {},
): Patient =>
  ({
    world: { now: () => now },
    paths: { name: 'chat', state: join(folder, 'instance.json'), config: '', data: folder, logs: '', secrets: '' },
    state: { name: 'chat', supervisor: 'systemd', settings: { listen: '127.0.0.1', ...files } },
    stored: {
      product: {
        settings: [{ name: 'listen', type: 'address' }, ...Object.keys(files).map((name) => ({ name, type: 'text' }))],
        urls: {},
        doctor,
      },
      release: { version: '1.0.0' },
      folder,
    },
    spec: { instance: 'chat', host: { triplet: '' } },
    observed: { state: 'running', main: main === undefined ? undefined : { pid: main } },
  }) as unknown as Patient;

const findings = async (check: DoctorCheck, { now = new Date(), main = process.pid, folder = sandbox() } = {}) => {
  const patient = patientWith(folder, now, main, [check]);
  const found: Found[] = [];
  for (const look of declaredChecks(patient)) found.push(...(await look(patient)));
  for (const { remedy } of found) expect(remedy).not.toBe('');
  return found.map(({ id, level }) => `${level} ${id}`);
};

const certificate = (folder: string, days: number, name = 'one') => {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const how = `req -x509 -newkey rsa:2048 -nodes -subj /CN=chat.example -addext subjectAltName=DNS:chat.example -days ${days}`;
  const made = spawnSync('openssl', [...how.split(' '), '-keyout', key, '-out', cert], { encoding: 'utf8' });
  expect(made.status, made.stderr).toBe(0);
  return { key, cert };
};

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

test('a certificate: its file, its end, its names, and whether the server shows this one', async () => {
  const folder = sandbox();
  const { key, cert } = certificate(folder, 100);
  const other = certificate(folder, 100, 'other');
  const check = {
    kind: 'certificate',
    ...condition,
    file: cert,
    names: ['chat.example'],
    days: 21,
  } satisfies DoctorCheck;
  expect(await findings(check)).toEqual(['note certificate-lasts']);
  expect(await findings({ ...check, file: '' })).toEqual([]);
  expect(await findings({ ...check, file: join(folder, 'none') })).toEqual(['problem certificate-missing']);
  expect(await findings({ ...check, file: key })).toEqual(['problem certificate-missing']);
  expect(await findings(check, { now: inDays(90) })).toEqual(['warning certificate-ends']);
  expect(await findings(check, { now: inDays(101) })).toEqual(['problem certificate-ended']);
  expect(await findings(check, { now: inDays(-2) })).toEqual(['problem certificate-early']);
  expect(await findings({ ...check, names: ['chat.example', 'rooms.chat.example'] })).toEqual([
    'warning certificate-names',
  ]);

  const server = listenSecurely({ key: readFileSync(key), cert: readFileSync(cert) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const served = { host: '{{listenHost}}', port: (server.address() as AddressInfo).port };
  expect(await findings({ ...check, served })).toEqual(['note certificate-lasts']);
  expect(await findings({ ...check, file: other.cert, served })).toEqual(['warning certificate-old']);
});

test('a certificate that is a link, as those that are renewed are, but not one that the server made', async () => {
  const folder = sandbox();
  const { cert } = certificate(folder, 100);
  const data = join(folder, 'data');
  mkdirSync(data);
  for (const place of [folder, data]) symlinkSync(cert, join(place, 'live.pem'));
  const check = { kind: 'certificate' as const, ...condition, names: ['chat.example'], days: 21 };
  expect(await findings({ ...check, file: join(folder, 'live.pem') }, { folder: data })).toEqual([
    'note certificate-lasts',
  ]);
  expect(await findings({ ...check, file: join(data, 'live.pem') }, { folder: data })).toEqual([
    'problem certificate-missing',
  ]);
});

test('a certificate that is missing: the setting that names it, for this instance, and none where no setting is the file', async () => {
  const folder = sandbox();
  const none = join(folder, 'none.pem');
  const remedyFor = async (file: string): Promise<string> => {
    const check = { kind: 'certificate' as const, ...condition, file, names: [], days: 21 };
    const patient = patientWith(folder, new Date(), undefined, [check], { 'tls.file': none, tlsFolder: folder });
    const found = await Promise.all(declaredChecks(patient).map((look) => look(patient)));
    return found.flat().map(({ id, remedy }) => `${id}: ${remedy}`)[0] ?? '';
  };
  const given = await remedyFor('{{#tls.file}}{{tls.file}}{{/tls.file}}{{^tls.file}}{{data}}/own.pem{{/tls.file}}');
  expect(given).toMatch(/^certificate-missing: .*assent reinstall chat --set tls\.file=FILE$/);
  expect(await remedyFor('{{data}}/own.pem')).toMatch(/^certificate-missing: Put it there, .*user\.$/);
  expect(await remedyFor('{{tlsFolder}}/fullchain.pem')).not.toContain('--set');
});

test('a port that answers, one that does not, and a host without an address', async () => {
  const server = listenOn((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const check = { kind: 'port', ...condition, host: '{{listenHost}}', port } as const;
  expect(await findings(check)).toEqual([]);
  await new Promise((resolve) => server.close(resolve));
  expect(await findings(check)).toEqual(['problem port-unreachable']);
  expect(await findings({ ...check, when: ['listen'] }), 'not beyond this machine').toEqual([]);
  expect((await findings({ ...check, host: 'nobody.invalid' }))[0]).toMatch(
    /^(warning address-missing|note address-unknown)$/,
  );
});

test('the limit of open files is the one of the process', async () => {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  expect(await findings({ kind: 'files', ...condition, least: limit })).toEqual([]);
  expect(await findings({ kind: 'files', ...condition, least: Math.min(limit + 1, 10_000_000) })).toEqual([
    'warning open-files',
  ]);
});

test('SRV records, as a name server tells them', async () => {
  const { servers, asked } = await nameServer();
  expect(await srvRecords('_xmpp-client._tcp.chat.example', servers)).toMatchObject({
    found: [{ port: 5222, name: 'xmpp.chat.example' }],
  });
  expect(asked).toEqual(['_xmpp-client._tcp.chat.example']);
  expect(await srvRecords('_none._tcp.chat.example', servers)).toEqual({ found: [] });
  expect(await srvRecords('_xmpp-client._tcp.chat.example', ['127.0.0.1:1'])).toMatchObject({
    unknown: expect.any(String),
  });
});

/** Answers one SRV record for `_xmpp-client._tcp.chat.example`, and for everything else that there is no such name. */
const nameServer = async () => {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const name = nameIn(question);
    asked.push(name);
    socket.send(answer(question, name.startsWith('_xmpp-client.')), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { servers: [`127.0.0.1:${socket.address().port}`], asked };
};

const nameIn = (question: Buffer): string => {
  const labels: string[] = [];
  for (let at = 12; question[at]; at += 1 + (question[at] as number))
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] as number)));
  return labels.join('.');
};

const answer = (question: Buffer, isThere: boolean): Buffer => {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(isThere ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(isThere ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  if (!isThere) return head;
  const target = Buffer.concat(
    ['xmpp', 'chat', 'example', ''].map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
  );
  const record = Buffer.alloc(18);
  record.set([0xc0, 12, 0, 33, 0, 1, 0, 0, 14, 16]);
  record.writeUInt16BE(6 + target.length, 10);
  record.set([0, 0, 0, 5], 12);
  record.writeUInt16BE(5222, 16);
  return Buffer.concat([head, record, target]);
};
