/**
 * The short way for command lines that scripts and prompts run all the time: `status` and `telemetry status` with plain flags.
 *
 * Loading commander and setting it up costs about as much as starting Node (measured: 15 of 22 ms), and these commands need none of it.
 * Whatever is not understood completely here is left to commander, errors included, so that there is one place that judges a line.
 * A test runs the same lines both ways.
 */

import { commands } from './commands.ts';
import type { FlagName } from './flags.ts';
import { flagsOf } from './flags.ts';
import type { MeantCommand } from './meant.ts';

const switches = {
  '--json': { json: true },
  '--quiet': { quiet: true },
  '--verbose': { verbose: true },
  '--no-color': { color: false },
  '--exit-code': { exitCode: true },
} as const satisfies Record<string, Partial<Record<FlagName, boolean>>>;

/** The command that is meant, or undefined where commander has to look. */
export const parseLight = (argv: readonly string[]): MeantCommand | undefined => {
  const words: string[] = [];
  const parsed: Record<string, unknown> = {};
  for (let at = 0; at < argv.length; at += 1) {
    const text = argv[at] ?? '';
    if (!text.startsWith('-')) words.push(text);
    else if (text in switches) Object.assign(parsed, switches[text as keyof typeof switches]);
    else {
      const home = text.startsWith('--home=')
        ? text.slice('--home='.length)
        : text === '--home'
          ? argv[++at]
          : undefined;
      if (!home || 'home' in parsed || home.startsWith('-')) return undefined;
      parsed['home'] = home;
    }
  }
  if (parsed['quiet'] && parsed['verbose']) return undefined;
  return commandOf(words, parsed);
};

const commandOf = (words: readonly string[], parsed: Readonly<Record<string, unknown>>): MeantCommand | undefined => {
  const typed = words[0] === 'telemetry' ? words.slice(0, 2).join(' ') : words[0];
  if (typed !== 'status' && typed !== 'telemetry status') return undefined;
  const operands = words.slice(typed.split(' ').length);
  const command = commands.find((one) => one.words === typed);
  if (command === undefined || operands.length > 1 || operands.includes('')) return undefined;
  if (parsed['exitCode'] === true && !command.flags.includes('exitCode')) return undefined;
  return { kind: 'command', command, operands, flags: flagsOf(parsed) };
};
