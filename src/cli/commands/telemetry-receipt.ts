/** `assent telemetry receipt [NAME]`: the current decision as one JSON document to keep, with or without --json. */
import { receiptOf } from '../../consent/receipt.ts';
import { instancePaths } from '../../instance/paths.ts';
import { serverVetoOf } from '../../service/server-veto.ts';
import type { Run } from '../invocation.ts';
import { pickRecord, refuseUnreadable } from '../reading.ts';

export const run: Run = async ({ world, home, flags, operands }) => {
  const found = await pickRecord(world, home, flags, operands[0]);
  const paths = instancePaths(found.home, found.name);
  refuseUnreadable(paths);
  const receipt = receiptOf(world, paths, serverVetoOf(world, paths));
  return {
    result: { outcome: 'unchanged', changed: false, receipt },
    screen: JSON.stringify(receipt, null, 2).split('\n'),
  };
};
