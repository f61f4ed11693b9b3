/** A real folder read into the model of a disk, and what a power cut left laid out as a real folder again. */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Inode, newInode, type Remains } from './inodes.ts';

/** Reads the folder; of the one itself only these names. Everything in it counts as synced. */
export const readFolder = (path: string, only?: readonly string[]): Inode => readInode(path, new Map(), only);

const readInode = (path: string, known: Map<string, Inode>, only?: readonly string[]): Inode => {
  const stat = lstatSync(path);
  const id = `${stat.dev} ${stat.ino}`;
  const there = known.get(id);
  if (there !== undefined) return there;
  const attributes = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
  const inode = stat.isDirectory()
    ? newInode('folder', attributes)
    : stat.isSymbolicLink()
      ? newInode('link', attributes, undefined, readlinkSync(path))
      : newInode('file', attributes, readFileSync(path));
  known.set(id, inode);
  if (!stat.isDirectory()) return inode;
  for (const name of readdirSync(path).filter((one) => only?.includes(one) ?? true)) {
    // A socket's name does not outlive its process in any way that matters.
    if (lstatSync(join(path, name)).isSocket()) continue;
    const child = readInode(join(path, name), known);
    inode.names.set(name, child);
    inode.syncedNames.set(name, child);
  }
  return inode;
};

/** Replaces these names in the folder by what remained of them. */
export const layOut = (path: string, top: Inode, remains: Remains, only: readonly string[]): void => {
  const laid = new Map<Inode, string>();
  for (const name of only) rmSync(join(path, name), { recursive: true, force: true });
  for (const [name, inode] of namesOf(top, remains))
    if (only.includes(name)) layInode(join(path, name), inode, remains, laid);
};

const layInode = (path: string, inode: Inode, remains: Remains, laid: Map<Inode, string>): void => {
  const before = laid.get(inode);
  // A folder stands at one place, even where two names of it had reached the disk.
  if (before !== undefined) {
    if (inode.kind !== 'folder') linkSync(before, path);
    return;
  }
  laid.set(inode, path);
  const { mode, uid, gid } = remains.attributes.get(inode) ?? inode.synced;
  if (inode.kind === 'link') {
    symlinkSync(inode.target, path);
    if (isRoot) lchownSync(path, uid, gid);
    return;
  }
  if (inode.kind === 'file') writeFileSync(path, remains.contents.get(inode) ?? inode.syncedContent);
  else {
    mkdirSync(path);
    for (const [name, child] of namesOf(inode, remains)) layInode(join(path, name), child, remains, laid);
  }
  if (isRoot) chownSync(path, uid, gid);
  chmodSync(path, mode);
};

const isRoot = process.geteuid?.() === 0;

const namesOf = (inode: Inode, remains: Remains): ReadonlyMap<string, Inode> =>
  remains.names.get(inode) ?? inode.syncedNames;

/** What would be laid out, as text: equal texts are equal states. Names that `except` matches are left out. */
export const textOf = (top: Inode, remains: Remains, except = /^$/): string => {
  const lines: string[] = [];
  const walk = (inode: Inode, below: string): void => {
    for (const [name, child] of [...namesOf(inode, remains)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = `${below}/${name}`;
      if (except.test(path)) continue;
      const { mode, uid } = remains.attributes.get(child) ?? child.synced;
      const content = remains.contents.get(child) ?? child.syncedContent;
      lines.push(`${path} ${child.kind} ${mode.toString(8)} ${uid} ${child.target}${shown(content)}`);
      if (child.kind === 'folder') walk(child, path);
    }
  };
  walk(top, '');
  return lines.join('\n');
};

/** A large content as its digest, which is made once: a thousand states share most of theirs. */
const shown = (content: Buffer): string => {
  if (content.length < 8192) return content.toString('latin1');
  const known = digests.get(content) ?? createHash('sha256').update(content).digest('hex');
  digests.set(content, known);
  return known;
};

const digests = new WeakMap<Buffer, string>();
