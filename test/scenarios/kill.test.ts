/**
 * Killed with SIGKILL right after the writes to the journal of every kind of change: afterwards `recover` ends in the old state or in the new one, never
 * between, and a second `recover` changes nothing. The same for `recover` itself, killed in its turn. The installation before was made with a yes to telemetry: whatever
 * happens, it is over. (Kills between these writes are an attack of test/faults.)
 */

import { describe, expect, it } from 'vitest';
import { type Change, changes } from '../faults/changes.ts';
import { makeStage, name, type Stage } from '../faults/stage.ts';
import { generationOf, type Side, type Sides, settled, sidesOf } from '../faults/truth.ts';
import { crashed } from '../support/crash.ts';
import type { Run } from '../support/scenario.ts';

/** The others have the steps of an upgrade: of them each fourth entry is enough here, and each second one of what ends a change or takes things away. */
const strides = { upgrade: 1, uninstall: 2, install: 4, reinstall: 4, rollback: 4 } as const;
const recoverStride = 2;

/** A no would be recorded at once, whatever becomes of the change. */
const silentUpgrade = changes.upgrade.args();

/** Which write of an upgrade's journal says that the start is begun. */
const whileStarting = 20;

/** `recover` of an upgrade that was killed while its new server was starting: backward by itself, forward when asked. */
describe.concurrent.for(['undo', 'finish'])('recover --%s', (towards) => {
  it('is old or new after a kill behind an entry of it', { timeout: 1_800_000 }, async ({ onTestFinished }) => {
    const { stage, sides } = await ready(changes.upgrade, onTestFinished);
    let side: Side | undefined;
    const tried = await eachWrite(recoverStride, async (at) => {
      const before = await begin(stage, side);
      const interrupted = await crashed(stage.world, silentUpgrade, whileStarting);
      expect(interrupted.signal, interrupted.stderr).toBe('SIGKILL');
      const killed = await crashed(stage.world, ['recover', name, `--${towards}`], at);
      side = await endsIn(stage, sides, before, `write ${at} of recover --${towards}: ${killed.stderr}`, at);
      if (towards === 'undo') expect(side).toBe('old');
      // What came to its end has gone the way that was asked for.
      else if (killed.exit === 0) expect(side).toBe('new');
      return killed;
    });
    expect(tried * recoverStride).toBeGreaterThan(5);
  });
});

describe.concurrent.for(Object.entries(strides))('%s', ([kind, stride]) => {
  it('is old or new after a kill behind an entry of its journal', { timeout: 1_800_000 }, async ({
    onTestFinished,
  }) => {
    const change: Change = changes[kind as keyof typeof strides];
    const { stage, sides } = await ready(change, onTestFinished);
    let side: Side | undefined;
    const tried = await eachWrite(stride, async (at) => {
      const before = await begin(stage, side);
      const killed = await crashed(stage.world, change.args(stage), at);
      side = await endsIn(stage, sides, before, `write ${at} of ${kind}: ${killed.stderr}`, at);
      return killed;
    });
    expect(tried * stride).toBeGreaterThan(12);
  });
});

/** Until one of them comes to its end, for its journal has no such write. How many were killed. */
const eachWrite = async (stride: number, killedAt: (at: number) => Promise<Run>): Promise<number> => {
  for (let at = 1; ; at += stride) {
    const { exit, signal, stderr } = await killedAt(at);
    if (exit === 0) return (at - 1) / stride;
    expect(signal, stderr).toBe('SIGKILL');
  }
};

/** Brings the stage to where the change begins, from the side that it is on; the generation there. */
const begin = async (stage: Stage, side: Side | undefined): Promise<number> => {
  if (side === 'old') stage.freshen('base');
  else await stage.layBack('base');
  return generationOf(stage);
};

/** Each test ends what it began, also where it fails. */
const ready = async (
  change: Change,
  onTestFinished: (end: () => Promise<void>) => void,
): Promise<{ stage: Stage; sides: Sides }> => {
  const stage = await makeStage();
  onTestFinished(stage.close);
  await change.prepare(stage);
  stage.keep('base');
  return { stage, sides: await sidesOf(stage, 'base', change.args(stage)) };
};

/** An open change is told, refuses another one, and is ended. What is the same at each write is looked at for each fifth. */
const endsIn = async (stage: Stage, sides: Sides, before: number, what: string, at: number): Promise<Side> => {
  const { document } = await stage.world.json(['status', name]);
  const open = document.instance?.unfinished !== undefined;
  if (open && at % 5 === 1) expect((await stage.world.run(silentUpgrade)).exit, what).toBe(8);
  // One recovery in any case: what a kill behind the last entry has left goes with it.
  return settled(stage, sides, before);
};
