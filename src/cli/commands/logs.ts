/** `assent logs [NAME]`: the server's own output, as it wrote it. */

import { write } from '../../system/terminal.ts';
import type { Run } from '../invocation.ts';
import { pickService } from '../known-service.ts';
import { pickToRead } from '../reading.ts';

const standardLines = 100;

export const run: Run = async ({ world, home, flags, operands }) => {
  const { name, spec, supervisor } = await pickService(world, await pickToRead(world, home, flags, operands[0]));
  const lines: string[] = [];
  for await (const line of supervisor.logs(spec, {
    lines: flags.lines ?? standardLines,
    follow: flags.follow && !flags.json,
  })) {
    if (flags.json) lines.push(line);
    else write('out', `${line}\n`);
  }
  return { result: { outcome: 'unchanged', changed: false, name, ...(flags.json ? { lines } : {}) }, screen: [] };
};
