/** Words from outside (of files, of servers, of registries, of other processes) on the screens that show them: none of them moves the cursor. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import type { ChangeResult } from '../../src/change/request.ts';
import type { WrittenLock } from '../../src/release/lock-product.ts';
import type { Sending } from '../../src/telemetry/sending.ts';
import { objectionTo } from '../../src/ui/asker.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import type { ConsentView } from '../../src/ui/result.ts';
import { changedLines } from '../../src/ui/views/changed.ts';
import { lockLines } from '../../src/ui/views/locks.ts';
import { titleLine } from '../../src/ui/views/plan.ts';
import { sendingLines } from '../../src/ui/views/sending.ts';
import { telemetryLines, unseenLines, withdrawnLines } from '../../src/ui/views/telemetry.ts';
import { sampleState } from '../support/sample-state.ts';
import { freePort } from '../support/sandbox.ts';

const look = { paint: noPaint, symbols: symbolsFor({}), columns: 80 };
const hostile = (word: string): string => `${word}\u001b[2J\u001b[H\u009b2J\r\u0007`;

const isStill = (lines: readonly string[]): void => expect(lines.join('\n')).not.toMatch(/[^\P{Cc}\n]/u);

const summary = { name: 'mail', product: 'maildev', title: hostile('MailDev'), version: '3.0.0', generation: 1 };

it('of what is on record about telemetry', () => {
  const said = { reason: hostile('accepted'), noticeId: hostile('n1'), by: hostile('prompt'), at: hostile('2026') };
  const where = {
    recipient: hostile('Example'),
    endpoint: hostile('https://example.org'),
    lastReport: hostile('2026'),
  };
  const consent: ConsentView = { state: 'accepted', collecting: true, meaning: hostile('on'), ...said, ...where };
  isStill(telemetryLines(summary, { ...consent, counted: [hostile('mailbox opened')], days: [hostile('2026')] }, look));
  isStill(unseenLines({ ...summary, detail: hostile('it may not be read') }, look));
  const erased = { files: 0, bytes: 0 };
  isStill(withdrawnLines({ instance: summary, changed: true, erased, warnings: [hostile('it went wrong')] }, look));
});

it('of what is sent, and to whom', () => {
  const about = { name: hostile('report'), from: hostile('2026'), to: hostile('2026'), bytes: 1, status: 200 };
  const sending = {
    sent: [{ ...about, outcome: 'uncertain', detail: hostile('no answer') }],
    dropped: [hostile('report')],
    waiting: 0,
    recipient: { name: 'Example', endpoint: hostile('https://example.org') },
    idle: { why: 'consent', reason: 'declined' },
    trouble: null,
  } as unknown as Sending;
  isStill(sendingLines('mail', sending, hostile('off'), look));
});

it('of packages', () => {
  const lock: WrittenLock = {
    release: '3.0.0',
    part: '',
    file: 'locks/3.0.0/package-lock.json',
    changed: true,
    kept: false,
    packages: 1,
    added: [{ name: hostile('left-pad'), version: hostile('1.0.0') }],
    removed: [{ name: hostile('left-pad'), version: hostile('1.0.0') }],
    moved: [{ name: hostile('left-pad'), from: hostile('1.0.0'), to: hostile('1.0.1') }],
    ofTheHost: [hostile('libc6')],
  };
  isStill(lockLines([lock], hostile('./manifest.yaml'), look));
});

it('of an installation', () => {
  const state = sampleState({ installed: false, manifest: hostile('/srv/manifest.yaml') });
  const changed = {
    outcome: 'uninstalled',
    changed: true,
    state,
    plan: { title: hostile('MailDev') },
    setAside: [hostile('/srv')],
  };
  isStill(changedLines({ ...changed, downtimeSeconds: null } as unknown as ChangeResult, undefined, look));
  isStill([titleLine(hostile('MailDev'), 'SMTP server', look)]);
});

it('of a process that has the port', async () => {
  const port = await freePort();
  const script = `require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log('listening'))`;
  const server = spawn(process.execPath, ['-e', script], {
    argv0: hostile('server'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  const setting = { name: 'port', type: 'port', title: 'Port', required: true, ask: true } as const;
  const objection = await objectionTo(setting, port, {
    settings: [setting],
    defaults: {},
    answers: {},
    keepsPorts: false,
  });
  expect(objection).toBe(`${port} is taken by server (process ${server.pid}).`);
});
