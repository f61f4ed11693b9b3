/**
 * What an attack is. It makes as many cases as the tier asks for, each under a name that makes it again: everything that a case leaves to
 * chance comes from the seed and its name. A case that throws has failed; the attack goes on with a stage as good as new.
 */

export interface Attack {
  /** One word, by which `--only` knows it. */
  readonly name: string;
  /** What is done to whom, for the table. */
  readonly title: string;
  /** Cases that the full tier has to have at least, without those that were missed. */
  readonly atLeast: number;
  /** Why it can't be made on this machine; undefined where it can. */
  readonly cannot?: () => string | undefined;
  readonly run: (tally: Tally, options: AttackOptions) => Promise<void>;
}

export interface AttackOptions {
  /** Every case, and not the choice that CI makes. */
  readonly full: boolean;
  readonly seed: number;
  /** How many cases may go on at once. */
  readonly jobs: number;
  /** Prints what held, too. */
  readonly verbose?: boolean;
}

export interface Tally {
  /**
   * False where another case was asked for by `--case`: then nothing has to be prepared for this one. Of an id's beginning (`upgrade` of `upgrade:write:13`) it says
   * whether any of its cases was asked for; and `--case upgrade` asks for all of them.
   */
  readonly wants: (id: string) => boolean;
  /**
   * Runs a case and counts it; a failure is printed at once, with the line that replays it. True if it held, was not asked for, or has no time left.
   * A case in which what was to be done to the program never came about says so by `missed`: it has to hold all the same, and is counted apart, for it proves nothing.
   * `id` tells everything that chance decided: `upgrade:137`, `recover-undo:12:3`.
   */
  readonly check: (id: string, work: (missed: () => void) => Promise<void>) => Promise<boolean>;
  /** A figure for the table's last column: `96 % refused beforehand`. */
  readonly note: (text: string) => void;
}
