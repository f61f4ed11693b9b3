/**
 * Killed with SIGKILL right after every write to the journal of every kind of change: afterwards `recover` ends in the old state or in the new one, never
 * between, and a second `recover` changes nothing. The same for `recover` itself, killed in its turn. The installation before was made with a yes to telemetry: whatever
 * happens, it is over. (Kills between these writes are an attack of test/faults.)
 */

import { describe, expect, it } from 'vitest';
import { type Change, changes } from '../faults/changes.ts';
import { makeStage, name, type Stage, upgrade } from '../faults/stage.ts';
import { holds, type Sides, settled, sidesOf } from '../faults/truth.ts';
import { crashed } from '../support/crash.ts';

/** Entries of each change's journal: the opening one, two for a step, the commit and the end. */
const writes = { install: 21, upgrade: 25, reinstall: 25, rollback: 25, uninstall: 15 } as const;

/** `recover` of an upgrade that was killed while its new server was starting: backward by itself, forward when asked. */
const recoveries = { undo: 13, finish: 7 } as const;

/** Which write of an upgrade's journal says that the start is begun. */
const whileStarting = 20;

describe.concurrent.for(Object.entries(recoveries))('recover --%s', ([towards, last]) => {
  it('is old or new after a kill behind any entry of it', { timeout: 1_200_000 }, async ({ onTestFinished }) => {
    const { stage, sides } = await ready(changes.upgrade, onTestFinished);
    for (let at = 1; at <= last + 1; at += 1) {
      await stage.layBack('base');
      const interrupted = await crashed(stage.world, upgrade, whileStarting);
      expect(interrupted.signal, interrupted.stderr).toBe('SIGKILL');
      const killed = await crashed(stage.world, ['recover', name, `--${towards}`], at);
      const what = `write ${at} of recover --${towards}: ${killed.stderr}`;
      // One write more than there are: that they were all tried.
      expect(killed, what).toMatchObject(at > last ? { exit: 0, signal: null } : { signal: 'SIGKILL' });
      const side = await endsIn(stage, sides, what, at);
      if (towards === 'undo') expect(side).toBe('old');
    }
  });
});

describe.concurrent.for(Object.entries(writes))('%s', ([kind, last]) => {
  it('is old or new after a kill behind any entry of its journal', { timeout: 1_200_000 }, async ({
    onTestFinished,
  }) => {
    const change: Change = changes[kind as keyof typeof writes];
    const { stage, sides } = await ready(change, onTestFinished);
    for (let at = 1; at <= last + 1; at += 1) {
      await stage.layBack('base');
      const killed = await crashed(stage.world, change.args(stage), at);
      const what = `write ${at} of ${kind}: ${killed.stderr}`;
      expect(killed, what).toMatchObject(at > last ? { exit: 0, signal: null } : { signal: 'SIGKILL' });
      await endsIn(stage, sides, what, at);
    }
  });
});

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
const endsIn = async (stage: Stage, sides: Sides, what: string, at: number): Promise<'old' | 'new'> => {
  const { document } = await stage.world.json(['status', name]);
  const open = document.instance?.unfinished !== undefined;
  if (open && at % 5 === 1) expect((await stage.world.run(upgrade)).exit, what).toBe(8);
  return open ? settled(stage, sides) : holds(stage, sides, 0);
};
