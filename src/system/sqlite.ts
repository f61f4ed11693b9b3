/**
 * Copies of SQLite databases that are in use, by SQLite's own backup: whole, as of one moment, and without stopping their server. The work is
 * done in a child (sqlite-child.ts) on a Node that has SQLite in it, as the account whose databases they are; a plain copy of a live
 * database may be torn in the middle of a page, or lack what stands in its write-ahead log.
 */
import { dirname, join } from 'node:path';
import { run } from './processes.ts';
import type { SqliteAnswer, SqliteOrder } from './sqlite-child.ts';

/**
 * Replaces the databases in a plain copy of their folder. `program` is the verified copy of Assent; `as` counts only where we are root. Returns
 * their names. Throws where one can't be copied, or is written so often that no copy comes to its end in time.
 */
export const backupDatabases = async (
  program: { readonly node: string; readonly main: string },
  order: SqliteOrder,
  timeoutMs = patienceMs,
): Promise<readonly string[]> => {
  const command = [program.node, '--no-warnings', join(dirname(program.main), 'sqlite-child.mjs')];
  const { stdout, stderr, timedOut } = await run(command, { cwd: '/', input: JSON.stringify(order), timeoutMs });
  if (timedOut) throw new Error(`no copy of the databases came to its end within ${Math.round(timeoutMs / 1000)} s`);
  const { answer, error } = parsed(stdout) ?? { error: stderr.trim().slice(-500) };
  if (answer === undefined) throw new Error(`the databases can't be copied: ${error}`);
  return answer.databases;
};

const patienceMs = 600_000;

const parsed = (text: string): { answer?: SqliteAnswer; error?: string } | undefined => {
  try {
    return JSON.parse(text) as { answer?: SqliteAnswer; error?: string };
  } catch {
    return undefined;
  }
};
