/** The model of a disk holds what was synced, and loses what may be lost: the attack is worth what this is. */

import { expect, test } from 'vitest';
import { chanceOf } from '../chance.ts';
import type { Call } from './calls.ts';
import { parseCalls } from './calls.ts';
import { makeDisk } from './disk.ts';
import { textOf } from './folder.ts';
import { newInode } from './inodes.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const make = (path: string): Call => ({ call: 'make', path, mode: 0o644, empties: false });
const write = (path: string, text: string): Call => ({ call: 'write', path, data: bytes(text), at: 'next' });
const sync = (path: string): Call => ({ call: 'fsync', path });
const rename = (from: string, path: string): Call => ({ call: 'rename', from, path });

/** Everything that a cut behind these calls may leave: of each state the names with their contents. */
const remainsOf = (...calls: Call[]): Set<string> => {
  const states = new Set<string>();
  for (let n = 0; n < 300; n++) {
    const owner = { uid: 1, gid: 1 };
    const disk = makeDisk('/d', newInode('folder', { mode: 0o755, ...owner }), owner);
    for (const call of calls) disk.apply(call);
    const fate = n === 0 ? 'nothing' : n === 1 ? 'names' : 'chance';
    states.add(textOf(disk.top, disk.cut(fate, chanceOf(n, 'disk'))).replaceAll(/ (file|folder) \d+ 1 /g, ' '));
  }
  return states;
};

test('a file that was written, synced, renamed, and whose folder was synced is there whole', () => {
  const calls = [
    make('/d/a.part'),
    write('/d/a.part', 'x'),
    sync('/d/a.part'),
    rename('/d/a.part', '/d/a'),
    sync('/d'),
  ];
  expect(remainsOf(...calls)).toEqual(new Set(['/a x']));
  expect(remainsOf(...calls.slice(0, -1))).toEqual(new Set(['', '/a.part x', '/a x']));
});

test('a name may be there without a content that was not synced', () => {
  const states = remainsOf(make('/d/a.part'), write('/d/a.part', 'x'), rename('/d/a.part', '/d/a'), sync('/d'));
  expect(states).toEqual(new Set(['/a ', '/a x', '/a \0']));
});

test('an appended line is torn at a sector or lost, and what was synced before it stays', () => {
  const states = remainsOf(
    make('/d/a'),
    write('/d/a', 'k'.repeat(10)),
    sync('/d/a'),
    sync('/d'),
    write('/d/a', 'n'.repeat(1000)),
  );
  const lengths = [...states].map((state) => state.replaceAll('\0', '').length - '/a '.length).sort((a, b) => a - b);
  expect([...new Set(lengths)]).toEqual([10, 512, 1010]);
  for (const state of states) expect(state.startsWith(`/a ${'k'.repeat(10)}`)).toBe(true);
});

test('changes of two names reach the disk in any order, of one name in theirs', () => {
  expect(remainsOf(make('/d/a'), make('/d/b'), { call: 'unlink', path: '/d/a' })).toEqual(
    new Set(['', '/a ', '/b ', '/a \n/b ']),
  );
});

test('a folder does not go before what is in it', () => {
  const folder: Call[] = [{ call: 'mkdir', path: '/d/f', mode: 0o755 }, make('/d/f/a'), { call: 'syncfs' }];
  const states = remainsOf(...folder, { call: 'unlink', path: '/d/f/a' }, { call: 'rmdir', path: '/d/f' });
  expect(states).toEqual(new Set(['', '/f ', '/f \n/f/a ']));
});

test('calls are read from what strace prints, also where threads come in between', () => {
  const hex = (text: string): string =>
    [...bytes(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const log = [
    `7  openat(AT_FDCWD<${hex('/')}>, "${hex('/d/a,b')}", O_WRONLY|O_CREAT, 0600 <unfinished ...>`,
    `8  fsync(4<${hex('/d')}>) = 0`,
    `7  <... openat resumed>) = 3<${hex('/d/a,b')}>`,
    `7  write(3<${hex('/d/a,b')}>, "${hex('x\n')}", 2) = 2`,
    `7  rename("${hex('/d/a,b')}", "${hex('/d/c')}") = -1 EPERM (Operation not permitted)`,
    `7  write(5<${hex('socket:[1]')}>, "${hex('x')}", 1) = 1`,
  ];
  expect(parseCalls(log.join('\n'))).toEqual([
    sync('/d'),
    { call: 'make', path: '/d/a,b', mode: 0o600, empties: false },
    write('/d/a,b', 'x\n'),
  ]);
});
