/**
 * A run of the command from its arguments to its exit code: parse, load the command's code, run it, print what came of it.
 *
 * With --json standard output gets exactly one document, whatever happens, and all text for people goes to standard error.
 */

import { exits, Failure } from '../errors.ts';
import { onEndingSignal } from '../system/signals.ts';
import { lostOutput, onOutputClosed, write } from '../system/terminal.ts';
import type { World } from '../system/world.ts';
import { documentOf } from '../ui/json.ts';
import type { Look } from '../ui/look.ts';
import { lookOf } from '../ui/look.ts';
import { exitOf, failureLines } from '../ui/views/failure.ts';
import type { CommandDescription } from './command-description.ts';
import { wordsOf } from './commands.ts';
import { homeOf } from './home.ts';
import type { Ended } from './invocation.ts';
import { parseLight } from './light.ts';
import type { Meant, MeantCommand } from './meant.ts';
import { refuseForeignPlatform } from './platform.ts';
import { refusedBySystem } from './refused.ts';

/** Runs a command line and returns the exit code. Throws nothing. */
export const runCommandLine = async (world: World, argv: readonly string[], version: string): Promise<number> => {
  const before = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  const json = before.includes('--json');
  const words = wordsOf(argv);
  const interruption = interrupted();
  try {
    const meant = parseLight(argv) ?? (await parseInFull(world, argv, version));
    if (meant.kind !== 'command') return tell(meant, json);
    const ended = await Promise.race([runCommand(world, meant), interruption.happened, unread(meant.command)]);
    if (ended === undefined) return unreadExit();
    const exit = await finish(world, meant.command.words, ended, {
      json,
      verbose: meant.flags.verbose,
      color: meant.flags.color,
    });
    return exit === exits.done && meant.command.reads === true ? unreadExit() : exit;
  } catch (error) {
    const flags = { json, verbose: before.includes('--verbose'), color: !before.includes('--no-color') };
    return fail(world, words, undefined, error, flags);
  } finally {
    interruption.off();
  }
};

interface Tone {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

const parseInFull = async (world: World, argv: readonly string[], version: string): Promise<Meant> => {
  const { parseCommandLine } = await import('./program.ts');
  return parseCommandLine(argv, version, world.terminal.columns);
};

const tell = (meant: Exclude<Meant, MeantCommand>, json: boolean): number => {
  const told = meant.kind === 'help' ? { help: meant.help } : { version: meant.version };
  if (json) write('out', documentOf(meant.kind, { outcome: 'unchanged', changed: false, ...told }, undefined));
  else write('out', meant.kind === 'help' ? meant.text : `${meant.version}\n`);
  return exits.done;
};

const runCommand = async (world: World, { command, operands, flags }: MeantCommand): Promise<Ended> => {
  refuseForeignPlatform(world, command.reads !== true);
  const { run } = await command.load();
  const stream = flags.json ? 'err' : 'out';
  const terminal = flags.json ? world.terminal.stderr : world.terminal.stdout;
  const look = await lookOf(world.env, stream, { terminal, colour: flags.color });
  const say = (lines: readonly string[]) => write(stream, lines.map((line) => `${line}\n`).join(''));
  return run({ world, home: homeOf(world, flags.home), flags, operands, look, say });
};

const finish = async (world: World, words: string, ended: Ended, tone: Tone): Promise<number> => {
  if (!tone.json) write('out', ended.screen.map((line) => `${line}\n`).join(''));
  if (ended.failure !== undefined) return fail(world, words, ended, ended.failure, tone);
  if (tone.json) write('out', documentOf(words, ended.result, undefined));
  return ended.exit ?? exits.done;
};

const fail = async (
  world: World,
  words: string,
  ended: Ended | undefined,
  thrown: unknown,
  tone: Tone,
): Promise<number> => {
  const error = refusedBySystem(thrown) ?? thrown;
  const look: Look = await lookOf(world.env, 'err', { terminal: world.terminal.stderr, colour: tone.color });
  write(
    'err',
    failureLines(error, look, tone.verbose)
      .map((line) => `${line}\n`)
      .join(''),
  );
  if (tone.json) write('out', documentOf(words === '' ? 'assent' : words, ended?.result, error));
  return exitOf(error);
};

/** Settles once nobody reads what a reading command prints. */
const unread = ({ reads }: CommandDescription): Promise<undefined> =>
  new Promise((resolve) => {
    if (reads === true) onOutputClosed(() => resolve(undefined));
  });

/** Nobody reading is no failure; an answer that was lost on its way (a full disk behind a redirection) is one. */
const unreadExit = (): number => {
  const lost = lostOutput();
  if (lost === undefined) return exits.done;
  write('err', `The answer could not be written: ${lost.message}. Nothing was changed.\n`);
  return exits.refused;
};

/** A signal that nobody more to the point takes (a question, a change) ends the command here. */
const interrupted = (): { happened: Promise<never>; off: () => void } => {
  let off = () => {};
  const happened = new Promise<never>((_, reject) => {
    off = onEndingSignal((signal) =>
      reject(
        new Failure(
          'cancelled',
          `Stopped by ${signal}.`,
          'Nothing was changed. Run the same command again when you are ready.',
        ),
      ),
    );
  });
  happened.catch(() => {});
  return { happened, off };
};
