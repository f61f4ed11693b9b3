/** What `telemetry send` says when it is done: what went where, or why nothing did. */

import type { Idle, Sending, SentReport } from '../../telemetry/sending.ts';
import { printable, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const sendingLines = (name: string, sending: Sending, meaning: string, look: Look): string[] => {
  const { paint, symbols, columns } = look;
  const { sent, dropped, waiting, recipient, idle } = sending;
  const line = (report: SentReport): string[] => [
    `  ${report.outcome === 'sent' ? paint.good(symbols.done) : paint.caution(symbols.caution)} ${name}: ${printable(`${days(report)}, ${report.bytes} bytes to ${recipient?.endpoint ?? 'the recipient'}`)}`,
    printable(
      `    ${report.detail}${report.status === null ? '' : ` (${report.status})`}. A copy is kept: reports/${report.name}.json`,
    ),
  ];
  return [
    ...sent.flatMap(line),
    ...dropped.map(
      (report) => `  ${paint.caution(symbols.caution)} ${printable(report)} was dropped: too many reports wait.`,
    ),
    ...(idle === null
      ? []
      : wrap(printable(`${name}: ${reasonOf(idle, meaning)}`), columns - 2).map((text) => `  ${text}`)),
    ...(waiting === 0 ? [] : [`    ${waiting} ${waiting === 1 ? 'report waits' : 'reports wait'}.`]),
  ];
};

const days = ({ from, to }: SentReport): string => (from === to ? from : `${from} to ${to}`);

const reasonOf = (idle: Idle, meaning: string): string => {
  if (idle.why === 'consent') return `nothing was sent. Telemetry is ${meaning}`;
  return reasons[idle.why];
};

const reasons = {
  'no-recipient': 'nothing was sent: the notice names no recipient, so totals stay on this server.',
  'nothing-to-send': 'nothing to send: there is no whole day with numbers that was not reported yet.',
  'not-due': 'nothing is due yet.',
  pausing: 'nothing was sent: the last delivery failed, and the pause after it still lasts.',
  stopped: 'it was stopped before all was sent.',
  busy: 'nothing was sent: another sender is at it.',
} as const satisfies Record<Exclude<Idle['why'], 'consent'>, string>;
