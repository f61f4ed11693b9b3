/** Help as data, for --json: what commander would print of a command, taken from the same place. */

import type { Command } from 'commander';
import { commands, groups } from './commands.ts';
import { introduction } from './introduction.ts';

export interface HelpView {
  /** `assent`, `assent telemetry`, `assent telemetry off`. */
  readonly of: string;
  readonly summary: string;
  readonly usage: string;
  readonly arguments: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly { readonly flags: string; readonly text: string }[];
  /** The commands below it; none for most. */
  readonly commands?: readonly { readonly words: string; readonly summary: string }[];
  readonly examples: readonly string[];
}

/** What the help of a command says. */
export const helpView = (command: Command): HelpView => {
  const help = command.createHelp();
  const words = wordsTo(command);
  const below = help.visibleCommands(command).map((one) => ({ words: wordsTo(one), summary: one.summary() }));
  return {
    of: `assent ${words}`.trim(),
    summary: command.description(),
    usage: help.commandUsage(command),
    arguments: help.visibleArguments(command).map((one) => ({ name: one.name(), text: one.description })),
    options: [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].map((option) => ({
      flags: option.flags,
      text: help.optionDescription(option),
    })),
    ...(below.length === 0 ? {} : { commands: below }),
    examples: examplesOf(words),
  };
};

const wordsTo = (command: Command): string =>
  command.parent === null ? '' : `${wordsTo(command.parent)} ${command.name()}`.trim();

const examplesOf = (words: string): readonly string[] =>
  words === ''
    ? introduction.examples.map(([line]) => line)
    : ((groups[words] ?? commands.find((command) => command.words === words))?.examples ?? []);
