/**
 * What is told about a command line that can't be understood: what is wrong, in commander's words where it has good ones, and the nearest
 * name that there is.
 */

import type { CommanderError } from 'commander';
import { Failure } from '../errors.ts';
import { nearest } from '../product/wording.ts';
import { commands, defaultOf, groups, wordsOf } from './commands.ts';
import { commonFlags } from './flags.ts';
import { optionFor } from './options.ts';

/** What commander found wrong, as a Failure. */
export const usageFailure = (error: CommanderError, argv: readonly string[]): Failure => {
  const [first = ''] = argv.filter((word) => !word.startsWith('-'));
  const words = wordsOf(argv);
  const unknown = words === '' && (error.code === 'commander.help' || error.code === 'commander.unknownOption');
  if (unknown && first !== '' && first !== 'help') return unknownCommand('assent', first);
  if (error.code === 'commander.help') return unknownCommand('assent', argv.at(-1) ?? '');
  const [message = ''] = error.message.replace(/^error: /, '').split('\n');
  return new Failure(
    'usage-option',
    sentence(message.replaceAll("'", '"')),
    `${nearOption(words, message)}Help: assent ${words === '' ? '' : `${words} `}--help. Nothing was changed.`,
  );
};

/** `parent` is what was understood: `assent`, `assent telemetry`. */
export const unknownCommand = (parent: string, word: string): Failure => {
  const depth = parent.split(' ').length - 1;
  const known = commands
    .filter(({ words, hidden }) => hidden !== true && `assent ${words} `.startsWith(`${parent} `))
    .map(({ words }) => words.split(' ')[depth] ?? '');
  const near = nearest(word, [...new Set([...known, ...(depth === 0 ? Object.keys(groups) : [])])]);
  return new Failure(
    'usage-option',
    `There is no command "${parent} ${word}".`,
    `${near === undefined ? '' : `Did you mean "${parent} ${near}"? `}All commands: ${parent} --help. Nothing was changed.`,
  );
};

export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;

/**
 * The nearest option of the command, where an unknown one was given; its value, if it has one, is left out of the comparison. A group has none of its
 * own: there it is one of the command that its word alone is short for.
 */
const nearOption = (words: string, message: string): string => {
  const given = /^unknown option '(--[^'=]+)/.exec(message)?.[1];
  if (given === undefined) return '';
  const standard = words in groups ? defaultOf(words) : undefined;
  const flags = (standard ?? commands.find((command) => command.words === words))?.flags ?? [];
  const known = [...commonFlags, ...flags]
    .map(optionFor)
    .flatMap(({ hidden, long }) => (hidden || !long ? [] : [long]));
  const near = nearest(given, [...known, '--help']);
  const where = standard === undefined ? '' : `assent ${standard.words} `;
  return near === undefined ? '' : `Did you mean "${where}${near}"? `;
};
