/**
 * What a terminal, an init or an impatient person sends to a change, at each of its steps: the process stands right behind the entry that begins the step (paused.ts),
 * gets what is sent, and goes on. INT and TERM finish the step, undo everything and exit 6, and a second one changes nothing; whatever else happens, HUP, a closed pipe, output
 * or terminal, the change runs to its end. Behind the commit nothing stops it any more.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node-pty';
import { changeSteps } from '../../src/change/plan.ts';
import { nobody } from '../support/seed.ts';
import type { Attack } from './attack.ts';
import { chanceOf } from './chance.ts';
import { type Change, type ChangeName, changes, deal, onBase, type Ready, withStages } from './changes.ts';
import { atStep, beforeOpening, commandWords, type Paused, pausedAt, pausing, untilStopped } from './paused.ts';
import type { Stage } from './stage.ts';
import { butFor, generationOf, holds, type Side } from './truth.ts';

export const signals: Attack = {
  name: 'signals',
  title: 'INT, TERM, HUP, PIPE, STOP and CONT, a closed terminal, a closed output, at each step of a change',
  atLeast: 150,
  run: async (tally, options) => {
    const chance = chanceOf(options.seed, 'signals');
    const kinds = Object.entries(changes).filter(([kind]) => kind !== 'purge') as [ChangeName, Change][];
    for (const [kind, change] of options.full ? kinds : chance.some(kinds, quickKinds)) {
      if (!tally.wants(kind)) continue;
      await withStages(change, options, async (ready) => {
        const points = await pointsOf(change, ready);
        const all = points.flatMap((point) =>
          chanceOf(options.seed, `signals ${kind} ${point}`)
            .some(manners, eachPoint)
            .map((how) => `${kind}:${point}:${how}`),
        );
        const ids = options.full ? all : chance.some(all, quickShare);
        await deal(ready, ids, async (one, id) => {
          const [, point = '', how = ''] = id.split(':');
          await tally.check(id, () => onBase(one, () => sentAt(change, one, point, how as Manner)));
        });
      });
    }
  },
};

const [quickKinds, quickShare, eachPoint] = [2, 5, 3];

const stopping = ['INT', 'TERM', 'INT-TERM'] as const;
const manners = [...stopping, 'HUP', 'PIPE', 'CONT', 'output', 'terminal'] as const;
type Manner = (typeof manners)[number];
const stops = (how: Manner): boolean => stopping.some((one) => one === how);

/** Where a change can be met: before its opening entry, at each step, and behind the commit. */
const pointsOf = async (change: Change, [first]: readonly Ready[]): Promise<string[]> => {
  assert.ok(first, 'there is a stage');
  await first.stage.layBack('base');
  const { document } = await first.stage.world.json([...change.args(first.stage), '--dry-run']);
  const planned = new Set(document.plan.map(({ step }: { step: string }) => step));
  return ['opening', ...changeSteps.filter((step) => planned.has(step)), 'commit'];
};

const sentAt = async (change: Change, { stage, sides }: Ready, point: string, how: Manner): Promise<Side> => {
  const before = generationOf(stage);
  const text = point === 'opening' ? beforeOpening : atStep(point);
  const run =
    how === 'terminal'
      ? await inTerminal(stage, text, unasked(change.args(stage)))
      : await sent(await pausedAt(stage, text, change.args(stage)), how);
  const undone = stops(how) && point !== 'commit';
  // A no of before its opening may still be one that nothing has begun for.
  const expected = !undone ? [0] : point === 'opening' ? [6, 130] : [6];
  assert.ok(expected.includes(run.exit ?? -1), `exit ${run.exit}, not ${expected}: ${run.said}`);
  // What ends by itself leaves nothing to recover.
  const isUnsaid = how === 'terminal' && sides.consent.said === 'nothing';
  const side = await holds(stage, isUnsaid ? butFor(sides, 'noes') : sides, before);
  assert.equal(side, undone ? 'old' : 'new');
  return side;
};

/** At a terminal a change that was told nothing would ask. */
const unasked = (args: readonly string[]): string[] =>
  args.some((arg) => arg.startsWith('--telemetry')) ? [...args] : [...args, '--telemetry=off'];

interface Ended {
  readonly exit: number | null;
  readonly said: string;
}

const sent = async (paused: Paused, how: Exclude<Manner, 'terminal'>): Promise<Ended> => {
  const { child } = paused;
  if (how === 'output') for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  else if (how !== 'CONT') for (const signal of how.split('-')) child.kill(`SIG${signal}` as NodeJS.Signals);
  const { exit, stdout, stderr } = await paused.end();
  return { exit, said: stdout + stderr };
};

/** A window that is closed: the kernel hangs its terminal up, and nothing can be written to it any more. */
const inTerminal = async ({ world }: Stage, text: string, args: readonly string[]): Promise<Ended> => {
  const [node = '', ...words] = commandWords(args);
  const env = { ...world.env, TERM: 'xterm', ...pausing(text) };
  const pty = spawn(node, words, { cols: 80, rows: 24, cwd: world.folder, env, ...nobody });
  let said = '';
  pty.onData((data) => {
    said += data;
  });
  const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  await untilStopped(pty.pid).catch((error: unknown) => {
    pty.kill('SIGKILL');
    throw error;
  });
  (pty as unknown as { destroy(): void }).destroy();
  process.kill(pty.pid, 'SIGCONT');
  return { exit: await ended, said };
};
