/**
 * One call of the command: what a command's code is handed, and what it hands back.
 */

import type { World } from '../system/world.ts';
import type { Look } from '../ui/look.ts';
import type { Result } from '../ui/result.ts';
import type { Flags } from './flags.ts';

export interface Invocation {
  readonly world: World;
  /** Absolute path of the home that the command works in. */
  readonly home: string;
  readonly flags: Flags;
  readonly operands: readonly string[];
  readonly look: Look;
  /** Prints people's text at once: to standard error where standard output holds the JSON document. */
  readonly say: (lines: readonly string[]) => void;
}

export interface Ended {
  readonly result: Result;
  /** The last screen, for people. */
  readonly screen: readonly string[];
  /** Set where a command did what it was asked and tells something by its exit code. */
  readonly exit?: number;
  /** Set where there is a result to show although the command failed (`doctor` with findings). */
  readonly failure?: Error;
}

export type Run = (invocation: Invocation) => Promise<Ended>;
