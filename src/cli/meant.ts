/** What was typed: a command to run, or what is answered by itself (help, version). */
import type { CommandDescription } from './command-description.ts';
import type { Flags } from './flags.ts';
import type { HelpView } from './help.ts';

export type Meant =
  | MeantCommand
  | { readonly kind: 'help'; readonly text: string; readonly help: HelpView }
  | { readonly kind: 'version'; readonly version: string };

export interface MeantCommand {
  readonly kind: 'command';
  readonly command: CommandDescription;
  readonly operands: readonly string[];
  readonly flags: Flags;
}
