/** `assent run NAME`: the server in the foreground. Signals and the end of it are the server's own affair from here on. */
import { consentForService } from '../../consent/for-service.ts';
import { mayCount } from '../../consent/gather.ts';
import { noteGap } from '../../consent/window.ts';
import { instancePaths } from '../../instance/paths.ts';
import { readState, refuseCopy } from '../../instance/state.ts';
import { comingVetoOf, serverVetoOf } from '../../service/server-veto.ts';
import { onEndingSignal } from '../../system/signals.ts';
import { forgetOldCopies } from '../../telemetry/old-copies.ts';
import type { Run } from '../invocation.ts';
import { pickOwn } from '../reading.ts';

export const run: Run = async ({ world, home, flags, operands }) => {
  const { runInstance } = await import('../../service/run.ts');
  const name = await pickOwn(world, home, flags, operands[0]);
  const mode = flags.detached ? 'detached' : flags.prepareOnly ? 'prepare-only' : 'foreground';
  const off = onEndingSignal(() => {});
  try {
    const paths = instancePaths(home, name);
    const state = readState(paths);
    if (state !== undefined && mode === 'foreground') refuseCopy(paths, state);
    forgetOldCopies(world, paths);
    const mayRun = () => mayCount(world, paths, serverVetoOf(world, paths)).collecting;
    // A unit's own preparation is started with the very environment that the server gets.
    const coming = () => (mode === 'prepare-only' ? undefined : comingVetoOf(world, paths));
    const consent = () => consentForService(world, paths, coming(), readState(paths)?.veto, world.env.DO_NOT_TRACK);
    const beforeStart = () => noteGap(paths, world.now(), mayRun());
    // With --json standard output is the document's alone.
    const serverOut = flags.json ? 'err' : 'out';
    const exit = await runInstance(world, { home, name, mode, consent, mayRun, serverOut, beforeStart });
    return { result: { outcome: 'unchanged', changed: false }, screen: [], exit };
  } finally {
    off();
  }
};
