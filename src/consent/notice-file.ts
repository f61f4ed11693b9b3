/**
 * The notice's stored copy, `notices/ID.json`: its canonical JSON and a newline, and not a byte else. It is what was agreed to;
 * whatever a newer catalogue says, only this copy counts for the installation that it was stored with. Copies are never removed.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { makeFolder, type Owner, readBytesIfThere, statIfThere, writeDurably } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { NoticeId } from '../values.ts';
import { idOfText, type Notice, noticeId, noticeJson } from './notice.ts';
import { sharingOf } from './sharing.ts';

export const noticeFile = (paths: InstancePaths, id: NoticeId): string => join(paths.notices, `${id}.json`);

/** The id that these stored bytes have; they are the notice of that id only if it is the one they are stored under. */
export const storedNoticeId = (bytes: Uint8Array): NoticeId => {
  const text = Buffer.from(bytes).toString('utf8');
  return idOfText(text.endsWith('\n') ? text.slice(0, -1) : `${text}, without its newline`);
};

/** Stores the copy, and returns its id. The same notice again changes nothing. */
export const storeNotice = (world: World, paths: InstancePaths, notice: Notice, account: Account | null): NoticeId => {
  const id = noticeId(notice);
  const { mode, owner } = sharingOf(world, paths, account);
  makeFolder(paths.notices, { mode: account === null ? 0o700 : 0o750, ...(owner ? { owner } : {}) });
  const [file, text] = [noticeFile(paths, id), `${noticeJson(notice)}\n`];
  if (!isAs(file, text, mode, owner)) writeDurably(file, text, { mode, ...(owner ? { owner } : {}) });
  return id;
};

const isAs = (file: string, text: string, mode: number, owner: Owner | undefined): boolean => {
  const stat = statIfThere(file);
  if (stat?.kind !== 'file' || stat.mode !== mode) return false;
  const isTheirs = owner === undefined || (stat.uid === owner.uid && stat.gid === owner.gid);
  return isTheirs && readBytesIfThere(file)?.equals(Buffer.from(text)) === true;
};

/** The stored notice, or undefined where there is none whose bytes have that id. */
export const readNotice = (paths: InstancePaths, id: NoticeId): Notice | undefined => {
  try {
    const bytes = readBytesIfThere(noticeFile(paths, id));
    if (bytes === undefined || storedNoticeId(bytes) !== id) return undefined;
    return JSON.parse(bytes.toString('utf8')) as Notice;
  } catch {
    return undefined;
  }
};
