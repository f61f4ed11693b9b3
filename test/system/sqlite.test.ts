/** Copies of databases that their server has open: whole, where a plain copy is not, and made as the account whose databases they are. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { backupDatabases } from '../../src/system/sqlite.ts';
import { asRoot, sandbox } from '../support/sandbox.ts';
import { repository } from '../support/seed.ts';

const program = { node: process.execPath, main: join(repository, 'dist/main.mjs') };

const folders = (): { from: string; to: string } => {
  const top = sandbox();
  const [from, to] = [join(top, 'from'), join(top, 'to')];
  mkdirSync(join(from, 'files'), { recursive: true });
  return { from, to };
};

/** A database that is held open, with what was written last in its write-ahead log only. */
const openDatabase = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE notes (text)');
  database.exec("INSERT INTO notes VALUES ('one'), ('two')");
  return database;
};

const notesIn = (path: string): unknown[] => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database
      .prepare('SELECT text FROM notes')
      .all()
      .map(({ text }) => text);
  } finally {
    database.close();
  }
};

test('what stands in the write-ahead log is in the copy, and the live files are as they were', async () => {
  const { from, to } = folders();
  openDatabase(join(from, 'files/a.sqlite'));
  writeFileSync(join(from, 'files/other'), 'a file');
  cpSync(from, to, { recursive: true });
  // In the plain copy only: its database has gone meanwhile.
  writeFileSync(join(to, 'files/gone.sqlite'), 'x');
  const before = readFileSync(join(from, 'files/a.sqlite'));
  const log = readFileSync(join(from, 'files/a.sqlite-wal'));

  const made = await backupDatabases(program, { from, to, patterns: ['files/*.sqlite'], as: undefined });
  expect(made).toEqual(['files/a.sqlite']);
  expect(readdirSync(join(to, 'files')).sort()).toEqual(['a.sqlite', 'other']);
  expect(notesIn(join(to, 'files/a.sqlite'))).toEqual(['one', 'two']);
  expect(readFileSync(join(from, 'files/a.sqlite'))).toEqual(before);
  expect(readFileSync(join(from, 'files/a.sqlite-wal'))).toEqual(log);
});

test('a database that is being written is copied whole', async () => {
  const { from, to } = folders();
  cpSync(from, to, { recursive: true });
  const path = join(from, 'files/busy.sqlite');
  const database = new DatabaseSync(path);
  // Two tables that always have as many rows, with enough in them that a copy takes several steps. No disk is waited for.
  database.exec('CREATE TABLE notes (text); CREATE TABLE doubles (text)');
  database.close();
  const script = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(process.argv[1], { timeout: 20000 }); db.exec('PRAGMA synchronous = OFF');
    for (let n = 0; n < 150; n += 1) { const t = 'x'.repeat(8000) + n; db.exec("BEGIN; INSERT INTO notes VALUES ('" + t + "'); INSERT INTO doubles VALUES ('" + t + "'); COMMIT");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2); if (n === 50) console.log('going'); }`;
  const writer = spawn(process.execPath, ['--no-warnings', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const wrote = new Promise((resolve) => writer.on('close', resolve));
  await new Promise((resolve) => writer.stdout.once('data', resolve));
  await backupDatabases(program, { from, to, patterns: ['**/*.sqlite'], as: undefined });
  expect(await wrote, 'the writer was never in the way').toBe(0);
  const copy = new DatabaseSync(join(to, 'files/busy.sqlite'));
  onTestFinished(() => copy.close());
  expect(copy.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  const rows = copy
    .prepare('SELECT (SELECT count(*) FROM notes) AS notes, (SELECT count(*) FROM doubles) AS doubles')
    .get();
  expect(rows?.notes).toBe(rows?.doubles);
  expect(rows?.notes).toBeGreaterThan(50);
});

test('what is no database is named', async () => {
  const { from, to } = folders();
  writeFileSync(
    join(from, 'files/a.sqlite'),
    'no database at all, and longer than the header of one, which has 100 bytes. '.repeat(3),
  );
  cpSync(from, to, { recursive: true });
  const copied = backupDatabases(program, { from, to, patterns: ['files/*.sqlite'], as: undefined });
  await expect(copied).rejects.toThrow(/files\/a\.sqlite: .*not a database/);
});

test('as root it is the account that opens them', async ({ skip }) => {
  asRoot(skip);
  const { from, to } = folders();
  openDatabase(join(from, 'files/of-root.sqlite'));
  chmodSync(join(from, 'files/of-root.sqlite'), 0o600);
  mkdirSync(join(to, 'files'), { recursive: true });
  for (const path of [to, join(to, 'files')]) chownSync(path, 65534, 65534);
  const as = { uid: 65534, gid: 65534 };
  await expect(backupDatabases(program, { from, to, patterns: ['files/*.sqlite'], as })).rejects.toThrow(/open/);
  expect(existsSync(join(to, 'files/of-root.sqlite'))).toBe(false);
});
