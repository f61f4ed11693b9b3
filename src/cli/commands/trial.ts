/**
 * `assent trial NAME`: one look at a release on trial; where it has failed, the rollback, or why there is none. Units, timers and `assent run` call
 * it; with --quiet it says something only where something happens.
 */

import { pickInstance } from '../../instance/find.ts';
import { instancePaths } from '../../instance/paths.ts';
import { changedLines } from '../../ui/views/changed.ts';
import { lookedLines } from '../../ui/views/instance.ts';
import { cancellable, portsOf, remembering } from '../change.ts';
import { viewBehind } from '../instance-view.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async (invocation) => {
  const { home, flags, operands, look } = invocation;
  const { attendTrial } = await import('../../change/attend-trial.ts');
  const name = await pickInstance(home, operands[0]);
  const { ports, rendering } = portsOf({ ...invocation, flags: { ...flags, quiet: false } }, true);
  const watch = cancellable(rendering);
  try {
    const { events, warned } = remembering(watch.events);
    const attended = await Promise.race([
      attendTrial({ ...ports, events }, instancePaths(home, name)),
      watch.cancelled,
    ]);
    rendering.end();
    if (attended.became === 'rolled-back') {
      const { outcome, changed } = attended.result;
      const instance = await viewBehind(invocation, { name, changed }, events.warn);
      return {
        result: { outcome, changed, ...(instance === undefined ? {} : { instance }), warnings: warned },
        screen: changedLines(attended.result, instance, look),
      };
    }
    const text = attended.became === 'waits' ? attended.detail : said[attended.became];
    const isNews = attended.became === 'waits' || !flags.quiet;
    return { result: { outcome: 'unchanged', changed: false }, screen: isNews ? lookedLines(name, text, look) : [] };
  } finally {
    rendering.end();
    watch.off();
  }
};

const said = {
  none: 'nothing is on trial.',
  well: 'on trial, and nothing has failed it so far.',
  over: 'the trial is over, and the release stays.',
  busy: 'a change or another command is at work; nothing was looked at.',
} as const;
