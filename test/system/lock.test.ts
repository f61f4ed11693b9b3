import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Lock, type LockAttempt, type LockHolder, tryLock, waitLock } from '../../src/system/lock.ts';
import { asRoot, sandbox } from '../support/sandbox.ts';

const lockModule = new URL('../../src/system/lock.ts', import.meta.url).href;

const me: LockHolder = {
  pid: process.pid,
  command: 'assent test',
  step: 'first',
  startedAt: '2026-11-23T10:00:00.000Z',
};

const taken = (attempt: LockAttempt): Lock => {
  if (!('lock' in attempt)) throw new Error(`Held by ${JSON.stringify(attempt.heldBy)}`);
  onTestFinished(() => attempt.lock.release());
  return attempt.lock;
};

/** A process of its own that tries to take the lock, says `taken` or `busy PID`, and holds it until it is ended. */
const other = (path: string, end = 'setInterval(() => {}, 1000)'): ChildProcess => {
  const code = `
    const { tryLock } = await import(${JSON.stringify(lockModule)});
    const attempt = tryLock(${JSON.stringify(path)}, { pid: process.pid, command: 'other', step: 'holding', startedAt: 'now' });
    console.log('lock' in attempt ? 'taken' : 'busy ' + attempt.heldBy?.pid);
    if ('lock' in attempt) { ${end} }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.stdout?.once('data', (data) => resolve(String(data).trim())));

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve));

describe('tryLock', () => {
  test('one holder at a time; who has it is told, with the step', () => {
    const path = join(sandbox(), 'lock');
    const lock = taken(tryLock(path, me));
    expect(tryLock(path, me)).toEqual({ heldBy: me });
    lock.note('second, with a much longer name than the first');
    expect(tryLock(path, me)).toEqual({ heldBy: { ...me, step: 'second, with a much longer name than the first' } });
    lock.note('third');
    expect(tryLock(path, me)).toEqual({ heldBy: { ...me, step: 'third' } });
    lock.release();
    lock.release();
    lock.note('too late');
    expect(readFileSync(path, 'utf8')).toBe('');
    taken(tryLock(path, me));
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  test('is released, and nothing said, where the note of its holder can not be taken away', ({ skip }) => {
    const path = join(sandbox(), 'lock');
    const code = `
      const { notedHolder, tryLock } = await import(${JSON.stringify(lockModule)});
      const attempt = tryLock(${JSON.stringify(path)}, ${JSON.stringify(me)});
      attempt.lock.release();
      console.log(notedHolder(${JSON.stringify(path)}) === undefined ? 'names nobody' : 'names one');
      console.log('lock' in tryLock(${JSON.stringify(path)}, ${JSON.stringify(me)}) ? 'free' : 'held');`;
    const inject = ['-qq', '-o', '/dev/null', '-e', 'trace=ftruncate', '-e', 'inject=ftruncate:error=EIO'];
    const command = [...inject, process.execPath, '--input-type=module', '-e', code];
    const { stdout, stderr, error } = spawnSync('strace', command, { encoding: 'utf8' });
    if (error || stderr.includes('PTRACE')) skip('strace is not there, or does not work');
    expect(stderr).toBe('');
    expect(stdout).toBe('names nobody\nfree\n');
  });

  test('a holder that is killed holds no longer, though the file still names it', async () => {
    const path = join(sandbox(), 'lock');
    const holder = other(path);
    expect(await firstLine(holder)).toBe('taken');
    expect(tryLock(path, me)).toMatchObject({ heldBy: { pid: holder.pid, command: 'other', step: 'holding' } });
    holder.kill('SIGKILL');
    await ended(holder);
    expect(readFileSync(path, 'utf8')).toContain(`"pid":${holder.pid}`);
    taken(tryLock(path, me));
  });

  test('of eight at once exactly one wins, and the others know who', async () => {
    const path = join(sandbox(), 'lock');
    const all = Array.from({ length: 8 }, () => other(path));
    const said = await Promise.all(all.map(firstLine));
    const winner = said.indexOf('taken');
    expect(said.filter((line) => line === 'taken')).toHaveLength(1);
    expect(said.filter((line) => line === `busy ${all[winner]!.pid}`)).toHaveLength(7);
  });

  test('our children do not inherit it', async () => {
    const path = join(sandbox(), 'lock');
    const holder = other(
      path,
      `const { spawn } = await import('node:child_process');
       const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
       console.log(child.pid); child.unref(); process.kill(process.pid, 'SIGKILL');`,
    );
    const lines: string[] = [];
    holder.stdout?.on('data', (data) => lines.push(...String(data).trim().split('\n')));
    await ended(holder);
    const sleeper = Number(lines[1]);
    expect(() => process.kill(sleeper, 0)).not.toThrow();
    taken(tryLock(path, me));
    process.kill(sleeper, 'SIGKILL');
  });

  test('torn, empty and foreign contents are nobody, not an error', () => {
    const path = join(sandbox(), 'lock');
    const lock = taken(tryLock(path, me));
    for (const text of [
      '',
      '{"pid":',
      'null',
      '{"pid":1}',
      '[]',
      '\0\0\0',
      '{"pid":1,"command":"x","step":"y","startedAt":"z","process":{"pid":1,"startTime":"0","bootId":"other"}}',
    ]) {
      writeFileSync(path, text);
      expect(tryLock(path, me), text).toEqual({ heldBy: undefined });
    }
    lock.note('again');
    expect(tryLock(path, me)).toMatchObject({ heldBy: { step: 'again' } });
  });

  test('a lock on a file that is no longer there does not count', () => {
    const path = join(sandbox(), 'lock');
    const first = taken(tryLock(path, me));
    rmSync(path);
    const second = taken(tryLock(path, me));
    expect(tryLock(path, me)).toEqual({ heldBy: me });
    first.release();
    expect(tryLock(path, me)).toEqual({ heldBy: me });
    second.release();
  });

  test('files that others could write or lead elsewhere are refused', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'target'), 'x', { mode: 0o600 });
    symlinkSync('target', join(folder, 'link'));
    linkSync(join(folder, 'target'), join(folder, 'second-name'));
    writeFileSync(join(folder, 'writable'), '');
    chmodSync(join(folder, 'writable'), 0o666);
    spawnSync('mkfifo', ['-m', '600', join(folder, 'pipe')]);
    for (const name of ['link', 'target', 'writable', 'pipe', '.']) {
      expect(() => tryLock(join(folder, name), me), name).toThrow(
        expect.objectContaining({ code: 'refused-permission' }),
      );
    }
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('x');
  });

  test('a lock file of another user is refused', ({ skip }) => {
    asRoot(skip);
    const path = join(sandbox(), 'lock');
    writeFileSync(path, '', { mode: 0o600 });
    chownSync(path, 65534, 65534);
    expect(() => tryLock(path, me)).toThrow(/user with the number 65534/);
  });

  test("a folder that is missing is the system's own error", () => {
    expect(() => tryLock(join(sandbox(), 'missing', 'lock'), me)).toThrow(/ENOENT/);
  });
});

describe('waitLock', () => {
  test('gets the lock when its turn comes', async () => {
    const path = join(sandbox(), 'lock');
    const lock = taken(tryLock(path, me));
    setTimeout(() => lock.release(), 150);
    const begun = performance.now();
    taken(await waitLock(path, { ...me, step: 'waited' }, 10_000));
    expect(performance.now() - begun).toBeGreaterThan(140);
    expect(tryLock(path, me)).toMatchObject({ heldBy: { step: 'waited' } });
  });

  test('tells who has it when the time is over', async () => {
    const path = join(sandbox(), 'lock');
    taken(tryLock(path, me));
    expect(await waitLock(path, me, 100)).toEqual({ heldBy: me });
  });
});
