/**
 * What a private Node says when it is asked for its version. That its file is there says little: bits rot, and a home may have come from a
 * machine of another kind.
 */
import { codeOf, type Owner } from '../system/files.ts';
import { type RunResult, run } from '../system/processes.ts';
import { strangerAt } from '../system/users.ts';

/** Who asks, where that is not ourselves. */
export interface AskedAs {
  readonly owner?: Owner;
  readonly cwd?: string;
}

/** As root whoever else owns the home is asked: what lies there may be of his making. */
export const askedIn = (home: string, uid: number): AskedAs => {
  const owner = uid === 0 ? strangerAt([home]) : undefined;
  return owner === undefined ? {} : { owner, cwd: '/' };
};

/** Null where it answers as that version; else the beginning of what it says, or that it does not run. */
export const wrongAnswer = async (node: string, version: string, as: AskedAs = {}): Promise<string | null> => {
  const { code, stdout, stderr } = await asked(node, as);
  if (code === 0 && stdout.trim() === `v${version}`) return null;
  return (stderr || stdout).trim().split('\n')[0]?.slice(0, 200) || 'it does not run';
};

/** How the system says that the file is none that it can run; whatever else keeps it from starting one (too many open files, say) tells nothing of the file. */
const noProgram: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EISDIR',
  'ENOEXEC',
  'ELOOP',
  'UNKNOWN',
]);

const asked = async (node: string, as: AskedAs): Promise<Pick<RunResult, 'code' | 'stdout' | 'stderr'>> => {
  try {
    return await run([node, '--version'], { timeoutMs: 20_000, ...as });
  } catch (error) {
    if (!noProgram.has(codeOf(error))) throw error;
    return { code: null, stdout: '', stderr: '' };
  }
};
