/** How a command is described: what is typed, what help says, which options it takes, and where its code is. */

import type { FlagName } from './flags.ts';
import type { Run } from './invocation.ts';
import type { Operand } from './operands.ts';

export interface CommandDescription {
  /** Words that are typed: `telemetry status`. */
  readonly words: string;
  /** The operand as commander writes it, one of those that help explains (operands.ts); empty where there is none. */
  readonly operands: Operand | '';
  readonly summary: string;
  readonly flags: readonly FlagName[];
  readonly examples: readonly string[];
  /** It only looks: where nobody reads its output any more, it ends. All others go on to their end. */
  readonly reads?: boolean;
  /** Not listed in help: it is there to explain itself. */
  readonly hidden?: boolean;
  /** Run where only the first word is typed: `telemetry` alone is `telemetry status`. */
  readonly isDefault?: boolean;
  readonly load: () => Promise<{ run: Run }>;
}
