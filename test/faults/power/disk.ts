/**
 * A disk as a power cut leaves it. The model is harder than any one filesystem is, within what POSIX promises:
 *
 * - What was written to a file since its last fsync may be there whole, up to a sector (with nothing behind it, or with zeros), or not at all; a file that was
 *   emptied since, or was never synced, may be empty. Owner and mode that were set since may be there or not.
 * - A name that was made, renamed or removed since the last fsync of its folder may be so, or not yet; a rename is done whole or not at all, and over two folders a sync of either
 *   makes it durable. In which order names reach the disk is open, but for this: nothing happens to a name before what happened earlier to the same name, and no
 *   folder goes before what was in it went. An fsync of a file says nothing of its name; that of a folder nothing of the folder's own name.
 * - `sync` and `syncfs` make everything durable.
 *
 * Not modelled: sectors that reach the disk in any order within one file, a disk that lies about what it wrote, and filesystems that lose what was synced.
 */

import { basename, dirname } from 'node:path';
import type { Chance } from '../chance.ts';
import type { Call } from './calls.ts';
import { cutDisk, type Fate, type Renaming } from './cut.ts';
import { type Inode, newInode, type Remains, set, truncate, write } from './inodes.ts';

export interface Disk {
  readonly top: Inode;
  /** What the calls do to it, one after the other. */
  readonly apply: (call: Call) => void;
  readonly cut: (fate: Fate, chance: Chance) => Remains;
}

/** A disk whose `top` stands at this path, everything in it synced. The owner is who works on it. */
export const makeDisk = (path: string, top: Inode, owner: { readonly uid: number; readonly gid: number }): Disk => {
  const names = makeNames(path, top);
  const dirty = new Set<Inode>();
  return {
    top,
    apply: (call) => applyTo({ names, dirty, owner }, call),
    cut: (fate, chance) => cutDisk(names.pending(), dirty, fate, chance),
  };
};

/** The tree of names: as programs see it, and which of its changes are not synced yet. */
interface Names {
  readonly find: (path: string) => Inode | undefined;
  /** A name that is changed or made; undefined outside of the disk. */
  readonly placeOf: (path: string) => { readonly folder: Inode; readonly name: string } | undefined;
  readonly change: (edits: Renaming['edits']) => void;
  /** Makes durable what touches one of these folders (all: undefined), and what has to come before it. */
  readonly settle: (folder?: Inode) => void;
  readonly pending: () => readonly Renaming[];
}

const makeNames = (path: string, top: Inode): Names => {
  let pending: Renaming[] = [];
  const find = (wanted: string): Inode | undefined => {
    if (wanted === path) return top;
    if (!wanted.startsWith(`${path}/`)) return undefined;
    let at: Inode | undefined = top;
    for (const name of wanted.slice(path.length + 1).split('/')) at = at?.names.get(name);
    return at;
  };
  const placeOf: Names['placeOf'] = (wanted) => {
    const folder = find(dirname(wanted));
    return folder === undefined ? undefined : { folder, name: basename(wanted) };
  };
  const change: Names['change'] = (edits) => {
    pending.push({ edits, after: pending.filter((one) => comesBefore(one, edits)) });
    for (const { folder, name, inode } of edits) set(folder.names, name, inode);
  };
  const settle: Names['settle'] = (folder) => {
    const settled = new Set<Renaming>();
    const add = (one: Renaming): void => {
      if (settled.has(one) || !pending.includes(one)) return;
      settled.add(one);
      one.after.forEach(add);
    };
    pending.filter(({ edits }) => folder === undefined || edits.some((edit) => edit.folder === folder)).forEach(add);
    for (const { edits } of pending.filter((one) => settled.has(one)))
      for (const edit of edits) set(edit.folder.syncedNames, edit.name, edit.inode);
    pending = pending.filter((one) => !settled.has(one));
  };
  return { find, placeOf, change, settle, pending: () => pending };
};

/** Of an earlier change: it was to the same name, or emptied the folder that is removed now. */
const comesBefore = (earlier: Renaming, edits: Renaming['edits']): boolean => {
  const [only] = edits;
  const removed = edits.length === 1 && only?.inode === undefined ? only?.folder.names.get(only.name) : undefined;
  return earlier.edits.some(
    (old) => old.folder === removed || edits.some(({ folder, name }) => old.folder === folder && old.name === name),
  );
};

interface Work {
  readonly names: Names;
  readonly dirty: Set<Inode>;
  readonly owner: { readonly uid: number; readonly gid: number };
}

const applyTo = ({ names, dirty, owner }: Work, call: Call): void => {
  const make = (path: string, kind: Inode['kind'], mode: number, target = ''): void =>
    name(names, path, newInode(kind, { mode, ...owner }, Buffer.alloc(0), target));
  const change = (path: string, work: (inode: Inode) => void): void => {
    const inode = names.find(path);
    if (inode === undefined) return;
    work(inode);
    dirty.add(inode);
  };
  switch (call.call) {
    case 'make':
      if (names.find(call.path) === undefined) make(call.path, 'file', call.mode & ~umask);
      else if (call.empties) change(call.path, (inode) => truncate(inode, 0));
      break;
    case 'write':
      change(call.path, (inode) => write(inode, call.data, call.at === 'next' ? inode.content.length : call.at));
      break;
    case 'copy':
      change(call.path, (inode) => {
        const [from, at] = [names.find(call.from), inode.content.length];
        if (from === undefined) throw new Error(`${call.path} was copied from outside: ${call.from}`);
        write(inode, from.content.subarray(at, at + call.length), at);
      });
      break;
    case 'truncate':
      change(call.path, (inode) => truncate(inode, call.length));
      break;
    case 'mkdir':
      make(call.path, 'folder', call.mode & ~umask);
      break;
    case 'symlink':
      make(call.path, 'link', 0o777, call.target);
      break;
    case 'link': {
      const inode = names.find(call.from);
      if (inode === undefined && names.placeOf(call.path) !== undefined)
        throw new Error(`${call.path} was linked from outside: ${call.from}`);
      name(names, call.path, inode);
      break;
    }
    case 'rename':
      rename(names, call.from, call.path);
      break;
    case 'unlink':
    case 'rmdir':
      name(names, call.path, undefined);
      break;
    case 'chmod':
      change(call.path, (inode) => {
        inode.now = { ...inode.now, mode: call.mode };
      });
      break;
    case 'chown':
      change(call.path, (inode) => {
        inode.now = { ...inode.now, uid: call.uid, gid: call.gid };
      });
      break;
    case 'fsync': {
      const inode = names.find(call.path);
      if (inode === undefined) break;
      syncInode(inode, dirty);
      names.settle(inode);
      break;
    }
    case 'syncfs':
      names.settle();
      for (const inode of dirty) syncInode(inode, dirty);
      break;
  }
};

const name = (names: Names, path: string, inode: Inode | undefined): void => {
  const place = names.placeOf(path);
  if (place) names.change([{ ...place, inode }]);
};

const rename = (names: Names, from: string, to: string): void => {
  const [old, fresh, inode] = [names.placeOf(from), names.placeOf(to), names.find(from)];
  if (old && fresh && inode) {
    names.change([
      { ...old, inode: undefined },
      { ...fresh, inode },
    ]);
  } else if (old || fresh) throw new Error(`renamed over the edge of what is looked at: ${from} to ${to}`);
};

const syncInode = (inode: Inode, dirty: Set<Inode>): void => {
  inode.synced = inode.now;
  inode.syncedContent = inode.content;
  inode.isCut = false;
  dirty.delete(inode);
};

/** As every process here has it. */
const umask = 0o022;
