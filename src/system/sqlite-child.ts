/**
 * The child process that copies SQLite databases for sqlite.ts, while the server that they belong to writes: an order as JSON on standard input, an
 * answer or an error as JSON on standard output. It is started with our own Node, which has SQLite and its backup in it.
 *
 * It becomes the server's account before it opens anything. A database is opened for reading alone; a few pages at a time are copied, so
 * that its server never waits for us longer than for any other reader. What changes meanwhile begins the copy anew.
 */
import { globSync, lstatSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Owner } from './files.ts';

/** What comes on standard input. */
export interface SqliteOrder {
  /** The folder with the live databases, and the one with a plain copy of everything. */
  readonly from: string;
  readonly to: string;
  readonly patterns: readonly string[];
  readonly as: Owner | undefined;
}

export interface SqliteAnswer {
  readonly databases: readonly string[];
}

const main = async (): Promise<void> => {
  const { from, to, patterns, as } = JSON.parse(readFileSync(0, 'utf8')) as SqliteOrder;
  if (as) become(as);
  for (const name of filesIn(to, patterns))
    for (const end of ['', ...companions]) rmSync(join(to, name + end), { force: true });
  const databases = filesIn(from, patterns);
  for (const name of databases) await copyDatabase(join(from, name), join(to, name));
  say({ answer: { databases } satisfies SqliteAnswer });
};

/** As tree-child.ts does it: groups first, the user last. */
const become = ({ uid, gid }: Owner): void => {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
};

/** What SQLite keeps beside a database that is open: of no use to a copy that is whole by itself. */
const companions = ['-wal', '-shm', '-journal'];

const filesIn = (folder: string, patterns: readonly string[]): string[] =>
  globSync([...patterns], { cwd: folder })
    .filter((name) => lstatSync(join(folder, name)).isFile())
    .sort();

const copyDatabase = async (from: string, to: string): Promise<void> => {
  const database = new DatabaseSync(from, { readOnly: true, timeout: patienceMs });
  try {
    await backup(database, to, { rate: pagesAtOnce });
  } catch (error) {
    throw new Error(`${from}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    database.close();
  }
};

/** How long to wait where the server holds its database for a write of its own; without any the copy would fail there. */
const patienceMs = 10_000;

/** Two megabytes of the usual pages: some milliseconds. */
const pagesAtOnce = 512;

const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

try {
  await main();
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}
