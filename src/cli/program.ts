/**
 * The command line: commander is set up from the table of commands, and hands back which command was meant with what; nothing runs here.
 *
 * Whatever commander finds wrong becomes a Failure with the nearest name, so that it is told and counted like all others.
 */

import { Command, CommanderError } from 'commander';
import { table } from '../ui/layout.ts';
import type { CommandDescription } from './command-description.ts';
import { commands, defaultOf, groups } from './commands.ts';
import type { FlagName, Flags } from './flags.ts';
import { commonFlags, flagsOf } from './flags.ts';
import { helpView } from './help.ts';
import { introduction } from './introduction.ts';
import type { Meant } from './meant.ts';
import { operands } from './operands.ts';
import { optionFor } from './options.ts';
import { sentence, unknownCommand, usageFailure } from './usage.ts';

/** Parses a command line; one without a command means the overview. Throws 'usage-option' for what it does not know, with the nearest name. */
export const parseCommandLine = (argv: readonly string[], version: string, columns: number): Meant => {
  let meant: Meant | undefined;
  let text = '';
  let shown: Command | undefined;
  const program = buildProgram(version, (command, given, flags) => {
    meant = { kind: 'command', command, operands: given, flags };
  });
  program.addHelpText('beforeAll', ({ command }) => {
    shown = command;
    return '';
  });
  forEach(program, (command) =>
    command
      .exitOverride()
      .configureOutput({
        writeOut: (more) => {
          text += more;
        },
        writeErr: () => {},
        getOutHelpWidth: () => columns,
      })
      .configureHelp({ showGlobalOptions: true })
      .helpOption('-h, --help', 'print this help')
      .showSuggestionAfterError(),
  );
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { kind: 'version', version };
    if (error.exitCode !== 0) throw usageFailure(error, argv);
  }
  return meant ?? { kind: 'help', text, help: helpView(shown ?? program) };
};

/** The whole program as commander knows it; also what the documentation is held against. */
export const buildProgram = (
  version: string,
  chosen: (command: CommandDescription, given: string[], flags: Flags) => void,
): Command => {
  const program = new Command('assent')
    .version(version, '-V, --version', 'print the version')
    .usage('[options] <command>');
  const examples = table(introduction.examples.map(([line, text]) => [`$ ${line}`, text])).join('\n');
  program.description(introduction.summary).addHelpText('after', `\nExamples:\n${examples}\n\n${introduction.after}`);
  addFlags(program, commonFlags);
  program
    .argument('[command]')
    .allowExcessArguments(true)
    .action((word?: string) => {
      if (word === undefined) return program.help();
      if (word !== 'help') throw unknownCommand('assent', word);
      helpAbout(program, program.args.slice(1));
    });
  const parents = new Map<string, Command>();
  for (const description of commands) {
    const [first = '', second] = description.words.split(' ');
    const parent = second === undefined ? program : (parents.get(first) ?? addGroup(program, first, parents, chosen));
    addCommand(parent, second ?? first, description, chosen);
  }
  return program;
};

/** `help telemetry off`, word by word: what stands behind a command without commands below it is its operand. */
const helpAbout = (command: Command, [word, ...rest]: readonly string[]): never => {
  if (word === undefined || command.commands.length === 0) return command.help();
  const below = command.commands.find((one) => one.name() === word);
  if (below === undefined) throw unknownCommand(command.parent === null ? 'assent' : `assent ${command.name()}`, word);
  return helpAbout(below, rest);
};

type Chosen = Parameters<typeof buildProgram>[1];

const addCommand = (parent: Command, word: string, description: CommandDescription, chosen: Chosen): void => {
  const command = parent
    .command(word, description.hidden === true ? { hidden: true } : {})
    .summary(description.summary);
  command.description(sentence(description.summary)).allowExcessArguments(false);
  if (description.operands !== '') command.argument(description.operands, operands[description.operands]);
  addFlags(command, description.flags);
  if (description.examples.length > 0) command.addHelpText('after', examplesOf(description.examples));
  command.action(() => chosen(description, command.args, flagsOf(command.optsWithGlobals())));
};

/**
 * A first word with commands below it. Alone it runs its default, without options of its own: commander would take them for all commands below it,
 * too. With a word that it does not know it says so.
 */
const addGroup = (program: Command, word: string, parents: Map<string, Command>, chosen: Chosen): Command => {
  const { summary, examples } = groups[word] ?? { summary: '', examples: [] };
  const group = program
    .command(word)
    .usage('[options] [command]')
    .description(sentence(summary))
    .summary(summary)
    .addHelpText('after', examplesOf(examples));
  const standard = defaultOf(word);
  parents.set(word, group);
  if (standard === undefined) return group;
  group
    .argument('[command]')
    .allowExcessArguments(true)
    .action((given?: string) => {
      if (given !== undefined) throw unknownCommand(`assent ${word}`, given);
      chosen(standard, [], flagsOf(group.optsWithGlobals()));
    });
  return group;
};

const addFlags = (command: Command, names: readonly FlagName[]): void => {
  for (const name of names) command.addOption(optionFor(name));
};

const examplesOf = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`;

const forEach = (command: Command, visit: (command: Command) => void): void => {
  visit(command);
  for (const below of command.commands) forEach(below, visit);
};
