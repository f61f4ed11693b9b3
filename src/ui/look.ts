/**
 * How things look where the output goes: colours, symbols, width. Made once per run and handed to every view.
 */

import type { Stream } from '../system/terminal.ts';
import { screenSize } from '../system/terminal.ts';
import type { Paint, Symbols } from './paint.ts';
import { loadPaint, symbolsFor, wantsColour } from './paint.ts';

export interface Look {
  readonly paint: Paint;
  readonly symbols: Symbols;
  /** Columns that text is wrapped to: the screen's, at most 120. */
  readonly columns: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const lookOf = async (
  environment: Environment,
  stream: Stream,
  options: { terminal: boolean; colour: boolean },
): Promise<Look> => ({
  paint: await loadPaint(wantsColour(environment, options.colour, options.terminal)),
  symbols: symbolsFor(environment),
  columns: options.terminal ? Math.max(40, Math.min(120, screenSize(stream).columns)) : 100,
});
