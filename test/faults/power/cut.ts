/** What a power cut leaves of what was not synced, under the rules of disk.ts. */

import type { Chance } from '../chance.ts';
import { type Attributes, type Inode, type Remains, set } from './inodes.ts';

/** Some names change together: of a rename both. */
export interface Renaming {
  readonly edits: readonly { readonly folder: Inode; readonly name: string; readonly inode: Inode | undefined }[];
  readonly after: readonly Renaming[];
}

/** How a cut chooses: everything that can be lost is; every name is there and no content; or by chance. */
export type Fate = 'nothing' | 'names' | 'chance';

export const cutDisk = (
  pending: readonly Renaming[],
  dirty: ReadonlySet<Inode>,
  fate: Fate,
  chance: Chance,
): Remains => {
  const outOfTen = 2 + chance.whole(8);
  const happens = (): boolean => fate === 'names' || (fate === 'chance' && chance.whole(10) < outOfTen);
  const happened = new Set<Renaming>();
  const names = new Map<Inode, Map<string, Inode>>();
  for (const one of pending) {
    if (!one.after.every((before) => !pending.includes(before) || happened.has(before)) || !happens()) continue;
    happened.add(one);
    for (const { folder, name, inode } of one.edits) {
      const now = names.get(folder) ?? new Map(folder.syncedNames);
      names.set(folder, set(now, name, inode));
    }
  }
  const [contents, attributes] = [new Map<Inode, Buffer>(), new Map<Inode, Attributes>()];
  for (const inode of dirty) {
    if (inode.kind === 'file') contents.set(inode, fate === 'chance' ? tornContent(inode, chance) : lostContent(inode));
    attributes.set(inode, fate === 'chance' && chance.whole(2) === 0 ? inode.now : inode.synced);
  }
  return { names, contents, attributes };
};

const lostContent = ({ isCut, syncedContent }: Inode): Buffer => (isCut ? Buffer.alloc(0) : syncedContent);

const sector = 512;

const tornContent = (inode: Inode, chance: Chance): Buffer => {
  const { content, syncedContent, isCut } = inode;
  const kept = isCut ? Buffer.alloc(0) : syncedContent;
  const first = Math.min(kept.length, content.length);
  const edges = Array.from({ length: Math.ceil(content.length / sector) }, (_, n) => n * sector).filter(
    (at) => at > first,
  );
  const edge = chance.one([first, ...edges]);
  const torn = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    kept.copy(bytes, 0, 0, length);
    content.copy(bytes, 0, 0, Math.min(edge, length));
    return bytes;
  };
  switch (chance.whole(5)) {
    case 0:
      return syncedContent;
    case 1:
      return kept;
    case 2:
      return torn(Math.max(Math.min(edge, content.length), kept.length));
    case 3:
      return torn(content.length);
    default:
      return content;
  }
};
