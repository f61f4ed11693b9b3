/**
 * Every option of the command line, once: its spelling, what help says of it, and what is refused. Commands name the ones they take.
 */

import { InvalidArgumentError, Option } from 'commander';
import { suggestion } from '../product/wording.ts';
import type { FlagName } from './flags.ts';

const twice = 'It was given twice.';

/** A value that may be given once: the same option twice contradicts itself, and an empty value is a slip of a script. */
const once = (flags: string, help: string, choices?: readonly string[]): Option => {
  return new Option(flags, help).argParser((value: string, before: string | undefined) => {
    if (before !== undefined) throw new InvalidArgumentError(twice);
    if (value === '') throw new InvalidArgumentError('It is empty.');
    if (value.startsWith('--'))
      throw new InvalidArgumentError('It is an option, and no value: something is missing before it.');
    if (choices === undefined || choices.includes(value)) return value;
    throw new InvalidArgumentError(suggestion(value, choices, 'Allowed'));
  });
};

const many = (flags: string, help: string, split: (value: string) => string[]): Option =>
  new Option(flags, help).argParser((value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    ...split(value),
  ]);

const wholeNumber = (value: string, before?: number): number => {
  if (before !== undefined) throw new InvalidArgumentError(twice);
  if (!/^\d{1,7}$/.test(value)) throw new InvalidArgumentError('It is a whole number of lines.');
  return Number(value);
};

const wholeSeconds = (value: string, before?: number): number => {
  if (before !== undefined) throw new InvalidArgumentError(twice);
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError('It is a whole number of seconds.');
  return Number(value);
};

const options = {
  home: () => once('--home <dir>', 'where everything lives (ASSENT_HOME)'),
  json: () => new Option('--json', 'one JSON document on standard output; never prompts'),
  quiet: () => new Option('--quiet', 'print warnings and errors only').conflicts('verbose'),
  verbose: () => new Option('--verbose', 'print more, stacks of bugs too'),
  color: () => new Option('--no-color', 'no colours (NO_COLOR and FORCE_COLOR count, too)'),
  yes: () => new Option('-y, --yes', 'take the plan without the last question; accepts no danger'),
  telemetry: () =>
    once('--telemetry <on|off>', 'the answer about telemetry; on needs --telemetry-notice', ['on', 'off']),
  telemetryNotice: () => once('--telemetry-notice <id>', 'the notice that a yes is for: assent telemetry notice'),
  set: () => many('--set <key=value>', 'a setting; a secret as KEY=@file:PATH or KEY=@env:NAME', (value) => [value]),
  answers: () => once('--answers <file>', 'settings from a file'),
  saveAnswers: () => once('--save-answers <file>', 'write the answers used, ready for --answers'),
  dryRun: () => new Option('--dry-run', 'print the plan and change nothing'),
  ack: () =>
    many('--ack <ids>', 'accept dangers of the plan by their ids, separated by commas', (ids) =>
      ids.split(',').map((id) => id.trim()),
    ),
  name: () => once('--name <name>', "name of the instance (default: the product's)"),
  supervisor: () =>
    once('--supervisor <kind>', 'what keeps the server running: systemd, process or none', [
      'systemd',
      'process',
      'none',
    ]),
  to: () => once('--to <version>', 'the version (default: the newest; of a notice of an instance: the installed one)'),
  release: () => once('--release <version>', 'only this release of the manifest (default: all)'),
  refresh: () => new Option('--refresh', 'resolve anew also what is pinned already'),
  data: () =>
    once('--data <then|now>', 'with the data of then or of now (default: then where its format has changed)', [
      'then',
      'now',
    ]),
  rehearsal: () => new Option('--no-rehearsal', 'do not try the release on a copy first'),
  purge: () => new Option('--purge', 'delete data, configuration, secrets, backups and logs, too'),
  finish: () => new Option('--finish', 'go forward to the new release').conflicts('undo'),
  undo: () => new Option('--undo', 'go back to the release before'),
  drill: () => new Option('--drill', 'try a rollback on a copy: start it there, watch it, throw it away'),
  exitCode: () => new Option('--exit-code', 'tell the state by the exit code: 0, 20, 21, 22, 23, 24'),
  all: () => new Option('--all', 'all instances'),
  lines: () => new Option('-n, --lines <number>', 'how many of the last lines (default: 100)').argParser(wholeNumber),
  follow: () => new Option('-f, --follow', 'go on with what is written from now on'),
  seconds: () =>
    new Option('--seconds <number>', 'how long to watch after the traffic (default: 10)').argParser(wholeSeconds),
  html: () => once('--html <file>', 'as one page with charts; never replaces a file that is no earlier preview'),
  raw: () => new Option('--raw', 'only the bytes').conflicts('html'),
  detached: () => new Option('--detached', 'as the supervisor of the server').hideHelp(),
  prepareOnly: () => new Option('--prepare-only', 'what comes before a start').hideHelp(),
  scheduled: () => new Option('--scheduled', 'only what is due').hideHelp(),
} as const satisfies Record<FlagName, () => Option>;

export const optionFor = (name: FlagName): Option => options[name]();
