/** Files, folders and links of the model of a disk: each as a program sees it, and as it would be after a power cut. */

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file, folder or link. `now` is what a program sees, `synced` what a power cut can't take away. */
export interface Inode {
  readonly kind: 'file' | 'folder' | 'link';
  readonly target: string;
  now: Attributes;
  synced: Attributes;
  content: Buffer;
  syncedContent: Buffer;
  /** Made shorter since the last sync. */
  isCut: boolean;
  readonly names: Map<string, Inode>;
  readonly syncedNames: Map<string, Inode>;
}

/** What lies on the disk: of each folder its names. */
export interface Remains {
  readonly names: ReadonlyMap<Inode, ReadonlyMap<string, Inode>>;
  readonly contents: ReadonlyMap<Inode, Buffer>;
  readonly attributes: ReadonlyMap<Inode, Attributes>;
}

export const newInode = (
  kind: Inode['kind'],
  attributes: Attributes,
  content: Buffer = Buffer.alloc(0),
  target = '',
): Inode => ({
  kind,
  target,
  now: attributes,
  synced: attributes,
  content,
  syncedContent: content,
  isCut: false,
  names: new Map(),
  syncedNames: new Map(),
});

export const write = (inode: Inode, data: Buffer, at: number): void => {
  const bytes = Buffer.alloc(Math.max(inode.content.length, at + data.length));
  inode.content.copy(bytes);
  data.copy(bytes, at);
  inode.content = bytes;
};

export const truncate = (inode: Inode, length: number): void => {
  if (length < inode.content.length) inode.isCut = true;
  const bytes = Buffer.alloc(length);
  inode.content.copy(bytes);
  inode.content = bytes;
};

export const set = (names: Map<string, Inode>, name: string, inode: Inode | undefined): Map<string, Inode> => {
  if (inode === undefined) names.delete(name);
  else names.set(name, inode);
  return names;
};

/** The same disk once more, synced: what is played on one is not seen on the other. */
export const copyOf = (inode: Inode, known = new Map<Inode, Inode>()): Inode => {
  const there = known.get(inode);
  if (there !== undefined) return there;
  const copy = newInode(inode.kind, inode.now, inode.content, inode.target);
  known.set(inode, copy);
  for (const [name, child] of inode.names) {
    copy.names.set(name, copyOf(child, known));
    copy.syncedNames.set(name, copyOf(child, known));
  }
  return copy;
};

/** As a program sees it: what would remain if nothing were lost. */
export const everything = (top: Inode): Remains => {
  const [names, contents, attributes] = [
    new Map<Inode, Map<string, Inode>>(),
    new Map<Inode, Buffer>(),
    new Map<Inode, Attributes>(),
  ];
  const walk = (inode: Inode): void => {
    names.set(inode, inode.names);
    contents.set(inode, inode.content);
    attributes.set(inode, inode.now);
    for (const child of inode.names.values()) walk(child);
  };
  walk(top);
  return { names, contents, attributes };
};
