/** Shows a change that never was, step by step, with the rendering that is named; run by test/ui/renderings.test.ts in a terminal of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../src/change/plan.ts';
import { realWorld } from '../../src/system/world.ts';
import { lookOf } from '../../src/ui/look.ts';
import { renderingFor } from '../../src/ui/rendering.ts';

const flags = new Set(process.argv.slice(2));
const tone = { json: flags.has('json'), quiet: flags.has('quiet'), verbose: flags.has('verbose') };
const step = (id: Step['step'], title: string): Step => ({
  id,
  step: id,
  phase: 'prepare',
  title,
  undo: null,
  downtime: false,
  bytes: 0,
});

const world = realWorld();
const look = await lookOf(world.env, 'out', { terminal: world.terminal.stdout, colour: true });
const rendering = renderingFor(world, look, tone);
const fetch = step('fetch', `a title that is much longer than the screen is wide: ${'word '.repeat(30)}`);
rendering.stepStarted(fetch);
await sleep(250);
for (let done = 0; done <= 31_000_000; done += 3_100_000) {
  rendering.stepProgress(fetch, { done, total: 31_000_000, unit: 'bytes' });
  await sleep(60);
}
rendering.note(
  'A note in the middle of it, which is longer than the screen and has to be wrapped above the line that moves.',
);
rendering.warn({ id: 'w', message: 'A warning.', remedy: 'What to do about it.' });
rendering.stepDone(fetch, 8100);
const health = step('health', 'speak with it');
rendering.stepStarted(health);
rendering.stepFailed(health, new Error('it answered \u001b[2Jnonsense'));
rendering.stepUndone(step('start', 'start the server'));
rendering.end();
