/** What `telemetry send` says when it is done: what went where, or why nothing did. */

import type { Idle, Sending, SentReport } from '../../telemetry/sending.ts';
import { labelled, paragraph, printable } from '../layout.ts';
import type { Look } from '../look.ts';

export const sendingLines = (name: string, sending: Sending, meaning: string, look: Look): string[] => {
  const { paint, symbols, columns } = look;
  const { sent, dropped, waiting, recipient, idle } = sending;
  const marked = (mark: string, text: string) => labelled(mark, printable(text), { indent: 2, label: 2, columns });
  const linesOf = (report: SentReport): string[] => [
    ...marked(
      report.outcome === 'sent' ? paint.good(symbols.done) : paint.caution(symbols.caution),
      `${name}: ${days(report)}, ${report.bytes} bytes to ${recipient?.endpoint ?? 'the recipient'}`,
    ),
    ...marked('', `${report.detail}${statusText(report)}. A copy is kept: reports/${report.name}.json`),
  ];
  return [
    ...sent.flatMap(linesOf),
    ...dropped.flatMap((report) =>
      marked(paint.caution(symbols.caution), `${report} was dropped: too many reports wait.`),
    ),
    ...(idle === null ? [] : paragraph(printable(`${name}: ${reasonOf(idle, meaning)}`), { indent: 2, columns })),
    ...(waiting === 0 ? [] : marked('', `${waiting} ${waiting === 1 ? 'report waits' : 'reports wait'}.`)),
  ];
};

const statusText = ({ status }: SentReport): string => (status === null ? '' : ` (${status})`);

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
