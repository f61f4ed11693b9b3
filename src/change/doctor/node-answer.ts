/** What a private Node says when it is asked for its version. As root it is asked as whoever owns the home that it lies in. */

import { ownerOfShared } from '../../service/owner.ts';
import { run } from '../../system/processes.ts';
import type { Patient } from './finding.ts';

/** Null where it answers as that version; else the beginning of what it says, or that it does not run. */
export const wrongAnswer = async ({ world, paths }: Patient, node: string, version: string): Promise<string | null> => {
  const owner = ownerOfShared(paths, world.user.uid);
  const options = { timeoutMs: 10_000, ...(owner === undefined ? {} : { owner, cwd: '/' }) };
  const { code, stdout, stderr } = await run([node, '--version'], options);
  if (code === 0 && stdout.trim() === `v${version}`) return null;
  return (stdout || stderr).trim().slice(0, 200) || 'it does not run';
};
