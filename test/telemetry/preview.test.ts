/** The preview of an instance whose reports wait: the very bytes that go next, and what lies behind them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realPreview } from '../../src/telemetry/preview.ts';
import { markAttempt } from '../../src/telemetry/spool.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { previewLines, textLines } from '../../src/ui/views/preview.ts';
import { receiver } from '../support/receiver.ts';
import { freePort } from '../support/sandbox.ts';
import { type Sender, sender } from './sender.ts';

const previewOf = ({ paths, notice, world }: Sender) =>
  realPreview(paths, { notice, version: '2.2.1', uid: process.getuid!(), now: world.now() });

test('what waits is previewed to the byte as it was counted, and goes like that', async () => {
  let status = 503;
  const { url, received } = await receiver((response) => void response.writeHead(status).end());
  const one = await sender({ endpoint: url });
  for (const [day, count] of [
    ['2026-11-16', 40],
    ['2026-11-16', 7],
    ['2026-11-18', 9],
  ] as const)
    one.count(day, count);
  const before = previewOf(one);
  expect(before).toMatchObject({ waiting: null, report: { numbers: 6 } });
  await one.send();
  const { report, waiting, aside, example } = previewOf(one);
  expect(report).toEqual({ ...before.report, bytes: Buffer.from(before.report!.bytes) });
  expect({ aside, example }).toEqual({ aside: { unfinished: 0, never: 0, later: 0 }, example: false });
  expect(waiting).toEqual({ since: expect.stringMatching(/^\d{4}-.*Z$/), failures: 1 });
  status = 200;
  await one.send();
  expect(received[1]!.body.equals(report!.bytes)).toBe(true);
  expect(previewOf(one)).toMatchObject({ report: undefined, waiting: null });
});

test('it says in words that a report waits, since when, and that it was tried', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/` });
  one.count('2026-11-16');
  await one.send();
  const text = previewLines(previewOf(one), { paint: noPaint, symbols: symbolsFor({}), columns: 200 }).join('\n');
  expect(text).toMatch(/waits +since 20\S+: it is made, and goes next as it is; 1 attempt to deliver it failed\n/);
  expect(text).not.toContain('nothing yet');
});

test('of several that wait the oldest is shown, and the others are told as amounts', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/`, period: 'day' });
  one.count('2026-11-16');
  one.count('2026-11-18');
  await one.send();
  one.count('2026-11-20');
  expect(previewOf(one)).toMatchObject({ report: { from: '2026-11-16', to: '2026-11-16' }, aside: { later: 6 } });
});

test('a report that may have arrived already is not what goes next', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/`, period: 'day' });
  one.count('2026-11-16');
  one.count('2026-11-18');
  await one.send();
  markAttempt(one.paths, { name: 'report-2026-11-16_2026-11-16', from: '', to: '' }, one.world.now());
  expect(previewOf(one).report).toMatchObject({ from: '2026-11-18' });
});

test('bytes in the spool that no encoder wrote are shown as they are', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/` });
  one.count('2026-11-16');
  await one.send();
  for (const text of ['', '[]', 'x\n', '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":7}]}]}]}']) {
    writeFileSync(join(one.paths.spool, 'report-2026-11-16_2026-11-16.json'), text);
    const preview = previewOf(one);
    expect(preview.report).toMatchObject({ numbers: 0, counters: [] });
    expect(textLines(preview).join('\n')).toBe(text.trimEnd());
  }
});
