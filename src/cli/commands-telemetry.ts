/** The commands about telemetry, as data: see commands.ts. */

import type { CommandDescription } from './command-description.ts';
import { run as telemetryStatus } from './commands/telemetry-status.ts';

const name = '[name]' as const;

export const telemetryCommands: readonly CommandDescription[] = [
  {
    words: 'telemetry status',
    reads: true,
    operands: name,
    summary: 'whether anything is counted, and why',
    flags: ['exitCode'],
    examples: [
      'assent telemetry status',
      'assent telemetry status maildev --json',
      'assent telemetry status maildev --exit-code',
    ],
    isDefault: true,
    load: async () => ({ run: telemetryStatus }),
  },
  {
    words: 'telemetry off',
    operands: name,
    summary: 'end consent now and erase what was counted; works at any time',
    flags: ['all'],
    examples: ['assent telemetry off', 'assent telemetry off --all'],
    load: () => import('./commands/telemetry-off.ts'),
  },
  {
    words: 'telemetry history',
    reads: true,
    operands: name,
    summary: 'every question, answer and withdrawal, and whether the record is whole',
    flags: [],
    examples: ['assent telemetry history', 'assent telemetry history maildev --json'],
    load: () => import('./commands/telemetry-history.ts'),
  },
  {
    words: 'telemetry receipt',
    reads: true,
    operands: name,
    summary: 'the current decision as a JSON document to keep',
    flags: [],
    examples: ['assent telemetry receipt > receipt.json'],
    load: () => import('./commands/telemetry-receipt.ts'),
  },
  {
    words: 'telemetry notice',
    reads: true,
    operands: '[name|product]',
    summary: 'what would be counted, and the id that --telemetry-notice takes',
    flags: ['to', 'set', 'answers'],
    examples: [
      'assent telemetry notice',
      'assent telemetry notice maildev --to 3.0.0',
      'assent telemetry notice maildev@3.0.0 --json',
    ],
    load: () => import('./commands/telemetry-notice.ts'),
  },
  {
    words: 'telemetry prove',
    operands: name,
    summary: 'run a copy in a network that leads nowhere, and see what leaves it',
    flags: ['seconds'],
    examples: ['assent telemetry prove maildev', 'assent telemetry prove maildev --seconds 600 --json'],
    load: () => import('./commands/telemetry-prove.ts'),
  },
  {
    words: 'telemetry follow',
    operands: name,
    summary: "count from the server's access log; supervisors run it after a yes",
    flags: [],
    examples: [],
    hidden: true,
    load: () => import('./commands/telemetry-follow.ts'),
  },
  {
    words: 'telemetry preview',
    reads: true,
    operands: '[name|product]',
    summary: 'the exact bytes of a report: an example before a yes, the real numbers after it',
    flags: ['set', 'answers', 'html', 'raw'],
    examples: [
      'assent telemetry preview',
      'assent telemetry preview maildev@3.0.0 --html report.html',
      'assent telemetry preview maildev --raw',
      'assent telemetry preview maildev --set telemetry.endpoint=none --json',
    ],
    load: () => import('./commands/telemetry-preview.ts'),
  },
  {
    words: 'telemetry send',
    operands: name,
    summary: 'send what may be reported now, and say what went where',
    flags: ['scheduled'],
    examples: ['assent telemetry send', 'assent telemetry send maildev --json'],
    load: () => import('./commands/telemetry-send.ts'),
  },
  {
    words: 'telemetry on',
    operands: name,
    summary: 'consent is given in an installation or not at all',
    flags: [],
    examples: [],
    hidden: true,
    load: () => import('./commands/telemetry-on.ts'),
  },
];
