import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Opening } from '../../src/change/journal.ts';
import { appendEntry, closeJournal, openJournal, readJournal } from '../../src/change/journal.ts';
import type { Facts } from '../../src/change/plan.ts';
import { assemblePlan } from '../../src/change/plan.ts';
import type { InstancePaths } from '../../src/instance/paths.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { unfinished, writeLine } from '../../src/instance/unfinished.ts';
import { listFolder, statIfThere } from '../../src/system/files.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { sampleRelease, sampleState } from '../support/sample-state.ts';
import { sandbox } from '../support/sandbox.ts';

const world = realWorld();
const state = sampleState({ settings: { webPort: 1080 } });

const opening: Opening = {
  kind: 'install',
  plan: assemblePlan({
    kind: 'install',
    instance: 'mail',
    productTitle: 'MailDev',
    from: null,
    to: sampleRelease,
    generation: 7,
    fetch: null,
    runtime: null,
    data: null,
    account: null,
    configFiles: 0,
    space: [],
    dangers: [],
    warnings: [],
    stateDigest: 'x',
  } as unknown as Facts),
  before: null,
  after: state,
  found: { running: false, healthy: null, parts: [] },
  answer: { say: 'none', reason: 'not-asked' },
  since: 3,
  head: 'a'.repeat(64),
  recorded: true,
  login: 'someone',
  backup: '000007-install',
  purge: false,
  at: '2026-01-01T00:00:00.000Z',
};

const later = { ...opening.plan.steps.find(({ phase }) => phase === 'change'), id: 'levitate', step: 'levitate' };

const opened = (): InstancePaths => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  mkdirSync(paths.folder, { recursive: true });
  openJournal(world, paths, opening);
  return paths;
};

describe('the journal', () => {
  it('gives back what the opening entry carries', () => {
    const journal = readJournal(opened());
    expect(journal?.opening).toEqual(opening);
    expect(journal?.committed).toBe(false);
  });

  it('of before, which has only the length of the log, is read all the same', () => {
    const paths = instancePaths(sandbox(), 'mail' as InstanceName);
    mkdirSync(paths.folder, { recursive: true });
    const { head: _, recorded: __, ...before } = opening;
    openJournal(world, paths, before);
    expect(readJournal(paths)?.opening).toEqual(before);
  });

  it('is absent where no change was opened, and again once one was closed', () => {
    const paths = opened();
    appendEntry(world, paths, { entry: 'commit' });
    closeJournal(world, paths, 'finished');
    expect(readJournal(paths)).toBeUndefined();
    expect(unfinished(paths)).toBeNull();
    expect(listFolder(paths.journal)).toEqual(['000007-install.jsonl']);
  });

  it('knows which steps were begun, done and undone', () => {
    const paths = opened();
    for (const entry of ['begin', 'done', 'undone'] as const) appendEntry(world, paths, { entry, step: 'config' });
    appendEntry(world, paths, { entry: 'begin', step: 'current' });
    const journal = readJournal(paths);
    expect([...(journal?.begun ?? [])]).toEqual(['config', 'current']);
    expect([...(journal?.done ?? [])]).toEqual(['config']);
    expect(unfinished(paths)).toMatchObject({ kind: 'install', step: 'current', running: true });
  });

  it('gives its reserve back when an undo begins', () => {
    const paths = opened();
    expect(statIfThere(`${paths.journal}/reserve`)?.size).toBe(256 * 1024);
    // A filesystem may be out of inodes: the server that is started again needs some.
    expect(listFolder(paths.journal)).toHaveLength(1 + 8);
    appendEntry(world, paths, { entry: 'undo', reason: 'test' });
    expect(listFolder(paths.journal)).toEqual(['open.jsonl']);
  });

  it('reads the same at every cut of its last line, and goes on behind a torn one', () => {
    const paths = opened();
    appendEntry(world, paths, { entry: 'begin', step: 'config' });
    const whole = readFileSync(paths.openJournal, 'utf8');
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let cut = last; cut < whole.length; cut += 1) {
      writeFileSync(paths.openJournal, whole.slice(0, cut));
      const begun = readJournal(paths)?.begun;
      // The line is whole without its newline, too.
      expect(begun?.has('config')).toBe(cut === whole.length - 1);
      appendEntry(world, paths, { entry: 'begin', step: 'current' });
      expect(readJournal(paths)?.begun.has('current')).toBe(true);
    }
  });

  it('goes on behind a torn line, however often going on was torn in its turn', () => {
    const paths = opened();
    const torn = '0123456789abcdef {"at":"2026-01-01T00:0';
    for (const ends of [[torn], [torn, torn], [torn, torn, `${torn}\n`]]) {
      appendFileSync(paths.openJournal, ends.join('\n'));
      expect(unfinished(paths)).toMatchObject({ damaged: false });
      appendEntry(world, paths, { entry: 'undone', step: `behind ${ends.length}` });
      expect(readJournal(paths)?.undone.has(`behind ${ends.length}`)).toBe(true);
    }
    expect(readJournal(paths)?.undone.size).toBe(3);
  });

  it('does not open where its disk is full, and leaves nothing that looks like it', ({ skip }) => {
    withTinyDisk(skip, (disk) => {
      const paths = instancePaths(disk, 'mail' as InstanceName);
      mkdirSync(paths.journal, { recursive: true });
      writeFileSync(`${disk}/much`, Buffer.alloc(700 * 1024));
      const large = { ...opening, login: 'x'.repeat(200 * 1024) };
      expect(() => openJournal(world, paths, large)).toThrow(/ENOSPC/);
      expect(unfinished(paths)).toBeNull();
      expect(listFolder(paths.journal)).toEqual([]);
    });
  });

  it('is no open change where not even the opening entry was written whole', () => {
    const paths = opened();
    const whole = readFileSync(paths.openJournal, 'utf8');
    for (const cut of [0, 1, 20, whole.length - 2]) {
      writeFileSync(paths.openJournal, whole.slice(0, cut));
      expect(unfinished(paths)).toBeNull();
      expect(readJournal(paths)).toBeUndefined();
    }
  });

  it.each([
    ['a flipped bit in the opening entry', (text: string) => text.replace('"kind":"install"', '"kind":"instell"')],
    ['a flipped bit in the middle', (text: string) => text.replace('"step":"config"', '"step":"confih"')],
    ['a missing newline', (text: string) => text.replace('\n', '')],
    ['foreign text in front', (text: string) => `hello\n${text}`],
  ])('is damaged, never absent: %s', (_, damage) => {
    const paths = opened();
    appendEntry(world, paths, { entry: 'begin', step: 'config' });
    appendEntry(world, paths, { entry: 'done', step: 'config' });
    writeFileSync(paths.openJournal, damage(readFileSync(paths.openJournal, 'utf8')));
    expect(unfinished(paths)?.damaged).toBe(true);
    expect(() => readJournal(paths)).toThrow(/damaged/);
  });

  /** Another opening entry, digested as ours are. */
  const reopen = (paths: InstancePaths, change: object): void => {
    const [first = '', ...others] = readFileSync(paths.openJournal, 'utf8').split('\n');
    writeFileSync(paths.openJournal, [writeLine({ ...JSON.parse(first.slice(17)), ...change }), ...others].join('\n'));
  };

  it.each([
    ['of another instance', { after: { ...state, name: 'another' } }, /one of the instance "another"/],
    ['with a step of a later version', { plan: { ...opening.plan, steps: [later] } }, /levitate.*not known/],
    ['of a later format', { after: { ...state, format: 2 } }, /format 2 is not known/],
  ])('does not end a change %s', (_, change, message) => {
    const paths = opened();
    reopen(paths, change);
    expect(() => readJournal(paths)).toThrow(message);
    expect(() => readJournal(paths)).toThrow(/damaged/);
  });

  it('is damaged where two stand in one file', () => {
    const paths = opened();
    appendEntry(world, paths, { entry: 'close', outcome: 'finished' });
    const closed = readFileSync(paths.openJournal, 'utf8');
    const open = closed.slice(0, closed.indexOf('\n') + 1);
    for (const joined of [closed + open, open + closed]) {
      writeFileSync(paths.openJournal, joined);
      expect(unfinished(paths)?.damaged).toBe(true);
      expect(() => readJournal(paths)).toThrow(/damaged/);
    }
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(5000)],
  ])('is damaged and not absent where a part was switched already: %s', (_, bytes) => {
    const paths = opened();
    writeFileSync(paths.openJournal, bytes);
    mkdirSync(`${paths.backups}/000006-install`, { recursive: true });
    writeFileSync(`${paths.journal}/000006-install.jsonl`, '');
    expect(readJournal(paths), 'the change of before has ended').toBeUndefined();
    mkdirSync(`${paths.backups}/000007-upgrade`);
    expect(unfinished(paths)?.damaged).toBe(true);
    expect(() => readJournal(paths)).toThrow(/no whole line/);
    expect(() => openJournal(world, paths, opening)).toThrow(/damaged/);
    expect(readFileSync(paths.openJournal), 'nothing of it is lost').toEqual(bytes);
  });

  it('is not opened where that is not true any more', () => {
    const paths = instancePaths(sandbox(), 'mail' as InstanceName);
    const refuse = () => {
      throw new Error('changed meanwhile');
    };
    expect(() => openJournal(world, paths, opening, refuse)).toThrow('changed meanwhile');
    expect(listFolder(paths.journal)).toEqual([]);
  });

  it('does not take the place of another that has been opened meanwhile', () => {
    const paths = opened();
    const before = readFileSync(paths.openJournal, 'utf8');
    expect(() => openJournal(world, paths, opening)).toThrow(expect.objectContaining({ code: 'instance-busy' }));
    expect(readFileSync(paths.openJournal, 'utf8')).toBe(before);
  });

  it('does not take garbage behind its last line for damage', () => {
    const paths = opened();
    appendFileSync(paths.openJournal, Buffer.alloc(300));
    expect(unfinished(paths)).toMatchObject({ kind: 'install', damaged: false });
  });
});
