/** What the commands about telemetry say when they are done, on a screen of 80 columns: nothing wraps by itself, and all is said. */
import { expect, it } from 'vitest';
import type { Sending } from '../../src/telemetry/sending.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { sendingLines } from '../../src/ui/views/sending.ts';
import { withdrawnLines } from '../../src/ui/views/telemetry.ts';

const look = { paint: noPaint, symbols: symbolsFor({}), columns: 80 };
const said = (lines: readonly string[]): string => lines.join(' ').replace(/\s+/g, ' ');

it('tells what was sent, with the address whole', () => {
  const report = { name: 'report-2026-01-01_2026-01-07', from: '2026-01-01', to: '2026-01-07', bytes: 31_415 };
  const sending: Sending = {
    sent: [{ ...report, outcome: 'sent', status: 200, detail: 'the recipient took it' }],
    dropped: ['report-2025-12-01_2025-12-07 of a server with a name that is rather long'],
    waiting: 1,
    recipient: { name: 'Example', endpoint: 'https://telemetry.example.org/v1/metrics', policy: '' },
    idle: null,
    trouble: null,
  };
  const lines = sendingLines('maildev', sending, 'on', look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.filter((line) => line.endsWith('https://telemetry.example.org/v1/metrics'))).toHaveLength(1);
  expect(said(lines)).toContain('maildev: 2026-01-01 to 2026-01-07, 31415 bytes to https:');
  expect(said(lines)).toContain('took it (200). A copy is kept: reports/report-2026-01-01_2026-01-07.json ! report');
  expect(said(lines)).toMatch(/ was dropped: too many reports wait\. 1 report waits\.$/);
});

it('tells what was erased, and what went wrong meanwhile', () => {
  const instance = { name: 'maildev', product: 'maildev', title: 'MailDev', version: '3.0.0', generation: 1 };
  const warning =
    'The log could not be written, since the disk is full; the record is, and nothing is counted from now on.';
  const withdrawn = { instance, changed: true, erased: { files: 12, bytes: 31_415 }, warnings: [warning] };
  const lines = withdrawnLines(withdrawn, look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(said(lines)).toBe(
    ` + maildev: withdrawn. Nothing is counted from now on. Erased: 12 files and folders, 31415 bytes on disk. Nothing was sent about it. ! ${warning}`,
  );
});
