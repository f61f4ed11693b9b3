/** What was typed: a command to run, or what is answered by itself (help, version). */
import type { CommandDescription } from './command-description.ts';
import type { Flags } from './flags.ts';

export type Meant =
  | MeantCommand
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'version'; readonly version: string };

export interface MeantCommand {
  readonly kind: 'command';
  readonly command: CommandDescription;
  readonly operands: readonly string[];
  readonly flags: Flags;
}
