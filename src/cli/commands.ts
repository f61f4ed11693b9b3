/**
 * The commands, as data: what is typed, what help says, which options they take, and where their code is. The code of a command
 * is loaded when it is run, so that a light command stays light. The two lightest, which scripts ask all the time, are here at once.
 */

import type { CommandDescription } from './command-description.ts';
import { run as status } from './commands/status.ts';
import { telemetryCommands } from './commands-telemetry.ts';
import { changeFlags, settingFlags } from './flags.ts';

const name = '[name]' as const;

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
    flags: [...settingFlags, ...changeFlags, 'rehearsal'],
    examples: ['assent reinstall', 'assent reinstall maildev --set webPort=8025 --yes --telemetry=off'],
    load: () => import('./commands/reinstall.ts'),
  },
  {
    words: 'upgrade',
    operands: name,
    summary: 'guided upgrade to a newer release',
    flags: ['to', ...settingFlags, ...changeFlags, 'rehearsal'],
    examples: [
      'assent upgrade',
      'assent upgrade maildev --to 3.0.0 --dry-run',
      'assent upgrade --yes --telemetry=off --json',
      'assent upgrade haraka --no-rehearsal',
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
    words: 'trial',
    operands: name,
    summary: 'look once at a release on trial, and roll it back where it has failed; supervisors run it',
    flags: [],
    examples: [],
    hidden: true,
    load: () => import('./commands/trial.ts'),
  },
  {
    words: 'doctor',
    reads: true,
    operands: name,
    summary: 'every check that can be made now, with a remedy for each finding',
    flags: ['drill'],
    examples: ['assent doctor', 'assent doctor maildev --json', 'assent doctor maildev --drill'],
    load: () => import('./commands/doctor.ts'),
  },
  ...telemetryCommands,
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
  {
    words: 'products lock',
    operands: '<file>',
    summary: 'write the locks that a manifest of your own lacks',
    flags: ['release', 'refresh'],
    examples: [
      'assent products lock ./my-product/manifest.yaml',
      'assent products lock ./my-product/manifest.yaml --release 2.0.0 --refresh',
    ],
    load: () => import('./commands/products-lock.ts'),
  },
];

/** What help says of the first words that have commands below them. */
export const groups: Readonly<Record<string, { readonly summary: string; readonly examples: readonly string[] }>> = {
  telemetry: {
    summary: 'what is counted, and your choice about it',
    examples: ['assent telemetry', 'assent telemetry preview maildev', 'assent telemetry off'],
  },
  products: {
    summary: 'the catalogue of products',
    examples: ['assent products', 'assent products show maildev', 'assent products check ./my-product/manifest.yaml'],
  },
};

/** What a group's first word does alone. */
export const defaultOf = (group: string): CommandDescription | undefined =>
  commands.find(({ words, isDefault }) => isDefault === true && words.startsWith(`${group} `));

/** The command that a command line begins with, as far as it is one; for documents about lines that could not be parsed. */
export const wordsOf = (argv: readonly string[]): string => {
  const words = argv.filter((word, at) => !word.startsWith('-') && argv[at - 1] !== '--home');
  const two = words.slice(0, 2).join(' ');
  if (commands.some((command) => command.words === two)) return two;
  const one = words[0] ?? '';
  return commands.some((command) => command.words === one) || one in groups ? one : '';
};
