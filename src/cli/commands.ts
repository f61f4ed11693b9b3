/**
 * The commands, as data: what is typed, what help says, which options they take, and where their code is. The code of a command
 * is loaded when it is run, so that a light command stays light. The two lightest, which scripts ask all the time, are here at once.
 */

import { run as status } from './commands/status.ts';
import { run as telemetryStatus } from './commands/telemetry-status.ts';
import type { FlagName } from './flags.ts';
import { changeFlags, settingFlags } from './flags.ts';
import type { Run } from './invocation.ts';

export interface CommandDescription {
  /** Words that are typed: `telemetry status`. */
  readonly words: string;
  /** Operands as commander writes them: `[name]`. */
  readonly operands: string;
  readonly summary: string;
  readonly flags: readonly FlagName[];
  readonly examples: readonly string[];
  /** It only looks: where nobody reads its output any more, it ends. All others go on to their end. */
  readonly reads?: boolean;
  /** Not listed in help: it is there to explain itself. */
  readonly hidden?: boolean;
  /** Run where only the first word is typed: `telemetry` alone is `telemetry status`. */
  readonly isDefault?: boolean;
  readonly load: () => Promise<{ run: Run }>;
}

const name = '[name]';

export const commands: readonly CommandDescription[] = [
  {
    words: 'install',
    operands: '[product]',
    summary: 'guided installation of a server',
    flags: [...settingFlags, ...changeFlags, 'name', 'supervisor'],
    examples: [
      'assent install',
      'assent install node-red@4.1.15 --set webPort=1881',
      'assent install maildev --yes --telemetry=off --name mail-2',
      'assent install ./my-product/manifest.yaml --dry-run',
    ],
    load: () => import('./commands/install.ts'),
  },
  {
    words: 'reinstall',
    operands: name,
    summary: 'the same release anew, with other settings if given; asks for consent again',
    flags: [...settingFlags, ...changeFlags],
    examples: ['assent reinstall', 'assent reinstall maildev --set webPort=8025 --yes --telemetry=off'],
    load: () => import('./commands/reinstall.ts'),
  },
  {
    words: 'upgrade',
    operands: name,
    summary: 'guided upgrade to a newer release',
    flags: ['to', ...settingFlags, ...changeFlags],
    examples: [
      'assent upgrade',
      'assent upgrade maildev --to 3.0.0 --dry-run',
      'assent upgrade --yes --telemetry=off --json',
    ],
    load: () => import('./commands/upgrade.ts'),
  },
  {
    words: 'rollback',
    operands: name,
    summary: 'back to the release before, with the data of then or of now',
    flags: ['data', ...changeFlags],
    examples: ['assent rollback', 'assent rollback actual --data then --yes --telemetry=off'],
    load: () => import('./commands/rollback.ts'),
  },
  {
    words: 'uninstall',
    operands: name,
    summary: 'remove the server; keeps data, configuration and secrets unless --purge',
    flags: ['purge', ...changeFlags],
    examples: ['assent uninstall', 'assent uninstall mail-2 --purge --ack purge-data --yes'],
    load: () => import('./commands/uninstall.ts'),
  },
  {
    words: 'recover',
    operands: name,
    summary: 'end an interrupted change: forward after its commit point, else back',
    flags: ['finish', 'undo', 'yes'],
    examples: ['assent recover', 'assent recover maildev --undo'],
    load: () => import('./commands/recover.ts'),
  },
  {
    words: 'status',
    reads: true,
    operands: name,
    summary: 'what is installed, its health, its consent; without a name all of them',
    flags: [],
    examples: ['assent status', 'assent status maildev --json'],
    load: async () => ({ run: status }),
  },
  {
    words: 'start',
    operands: name,
    summary: 'start the server and wait until it is healthy',
    flags: [],
    examples: ['assent start', 'assent start maildev'],
    load: () => import('./commands/start.ts'),
  },
  {
    words: 'stop',
    operands: name,
    summary: 'stop the server and wait until it is gone',
    flags: [],
    examples: ['assent stop', 'assent stop maildev'],
    load: () => import('./commands/stop.ts'),
  },
  {
    words: 'restart',
    operands: name,
    summary: 'stop and start the server',
    flags: [],
    examples: ['assent restart'],
    load: () => import('./commands/restart.ts'),
  },
  {
    words: 'logs',
    reads: true,
    operands: name,
    summary: "the server's own output",
    flags: ['lines', 'follow'],
    examples: ['assent logs', 'assent logs maildev --lines 500', 'assent logs --follow'],
    load: () => import('./commands/logs.ts'),
  },
  {
    words: 'run',
    operands: name,
    summary: 'run the server in the foreground (containers, other inits)',
    flags: ['detached', 'prepareOnly'],
    examples: ['assent run maildev'],
    load: () => import('./commands/run.ts'),
  },
  {
    words: 'doctor',
    reads: true,
    operands: name,
    summary: 'every check that can be made now, with a remedy for each finding',
    flags: [],
    examples: ['assent doctor', 'assent doctor maildev --json'],
    load: () => import('./commands/doctor.ts'),
  },
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
    operands: '[name]',
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
    words: 'telemetry on',
    operands: name,
    summary: 'consent is given in an installation or not at all',
    flags: [],
    examples: [],
    hidden: true,
    load: () => import('./commands/telemetry-on.ts'),
  },
  {
    words: 'products list',
    reads: true,
    operands: '',
    summary: 'the catalogue',
    flags: [],
    examples: ['assent products', 'assent products list --json'],
    isDefault: true,
    load: () => import('./commands/products-list.ts'),
  },
  {
    words: 'products show',
    reads: true,
    operands: '<product>',
    summary: 'a product: its releases and settings',
    flags: [],
    examples: ['assent products show maildev'],
    load: () => import('./commands/products-show.ts'),
  },
  {
    words: 'products check',
    reads: true,
    operands: '<file>',
    summary: 'check a manifest of your own',
    flags: [],
    examples: ['assent products check ./my-product/manifest.yaml'],
    load: () => import('./commands/products-check.ts'),
  },
];

/** What help says of the first words that have commands below them. */
export const groups: Readonly<Record<string, string>> = {
  telemetry: 'what is counted, and your choice about it',
  products: 'the catalogue of products',
};

/** The command that a command line begins with, as far as it is one; for documents about lines that could not be parsed. */
export const wordsOf = (argv: readonly string[]): string => {
  const words = argv.filter((word, at) => !word.startsWith('-') && argv[at - 1] !== '--home');
  const two = words.slice(0, 2).join(' ');
  if (commands.some((command) => command.words === two)) return two;
  const one = words[0] ?? '';
  return commands.some((command) => command.words === one) || one in groups ? one : '';
};
