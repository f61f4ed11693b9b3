/** The one more line that a manifest has for a setting: faint, where the setting is asked and where it is listed. Empty where there is none. */

import type { Setting } from '../../product/settings.ts';
import { printable, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const helpLines = ({ help }: Setting, { paint, columns }: Look, indent: number): string[] =>
  help === undefined
    ? []
    : wrap(printable(help), Math.max(20, columns - indent)).map((line) => `${' '.repeat(indent)}${paint.faint(line)}`);
