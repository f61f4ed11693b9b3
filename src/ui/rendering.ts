/**
 * Which of the renderings a run gets: the live one on a terminal that can redraw a line, the plain one everywhere else.
 */

import type { World } from '../system/world.ts';
import type { Rendering } from './events.ts';
import type { Look } from './look.ts';
import { plainRendering } from './plain.ts';
import { terminalRendering } from './terminal.ts';

export interface Tone {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export const renderingFor = (world: World, look: Look, { json, quiet, verbose }: Tone): Rendering => {
  const live = !json && !quiet && world.terminal.stdout && world.env['TERM'] !== 'dumb';
  if (live) return terminalRendering(look, () => world.now().getTime());
  return plainRendering({ look, stream: json ? 'err' : 'out', quiet, verbose });
};
