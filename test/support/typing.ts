/**
 * Answers typed at a real terminal, for scenarios that need no more of one. node-pty is compiled where it is installed: on a machine without
 * a compiler there is none, and such tests are skipped with a printed reason; in CI they fail instead.
 */

import type { TypeAnswer } from './consent-play.ts';

const pty = await import('node-pty').then(
  () => null,
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);

/** Why nothing can be typed here; null where it can. Never a reason in CI. */
export const noTerminal: string | null = process.env.CI ? null : pty;
if (noTerminal !== null)
  process.stderr.write(`skipped, what is typed at a terminal: node-pty is not there (${noTerminal})\n`);

export const typeAnswer: TypeAnswer = async (world, args, say) => {
  const { terminal } = await import('./terminal.ts');
  const screen = terminal(world, args);
  await screen.see('Count them? (y/N, p to preview)', 60_000);
  screen.type(say === 'yes' ? 'y\r' : '\r');
  return screen.ended(120_000);
};
