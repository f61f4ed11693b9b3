/** `assent telemetry history [NAME]`: every line of the consent log, and whether its chain holds (exit 3 if not). */
import { assertWhole, historyOf, renderHistory } from '../../consent/history.ts';
import { instancePaths } from '../../instance/paths.ts';
import { labelled, printable } from '../../ui/layout.ts';
import type { Run } from '../invocation.ts';
import { pickRecord } from '../reading.ts';

export const run: Run = async ({ world, home, flags, operands, look }) => {
  const found = await pickRecord(world, home, flags, operands[0]);
  const paths = instancePaths(found.home, found.name);
  const history = historyOf(paths);
  const lines = renderHistory(history).flatMap(({ when, text }) =>
    labelled(printable(when), printable(text), { indent: 0, label: 32, columns: look.columns }),
  );
  return {
    result: {
      outcome: 'unchanged',
      changed: false,
      history: history.entries,
      whole: history.whole,
      head: history.head,
    },
    screen:
      lines.length === 0
        ? [`  Nothing was ever asked or answered for ${paths.name}.`]
        : [...lines, ...(history.whole ? [look.paint.faint('      the record is whole')] : [])],
    ...failureOf(() => assertWhole(paths, history)),
  };
};

const failureOf = (check: () => void): { failure?: Error } => {
  try {
    check();
    return {};
  } catch (error) {
    return { failure: error as Error };
  }
};
