/**
 * The state file of an instance, `instance.json`: what is installed, with which settings, which generation.
 *
 * The journal's opening entry comes first: it carries the new generation and key, and the state file is brought
 * into line from it. A state file that is there but can't be read is damaged and said to be so; it is never taken for an
 * absent one, and never written over. The parser is our own and small: `status` reads this file on every call.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { readIfThere, statIfThere, writeDurably } from '../system/files.ts';
import { isSameFolder } from '../system/quick-files.ts';
import type { GenerationKey, InstanceName, NoticeId, ProductName, Version } from '../values.ts';
import { asGenerationKey, asInstanceName, asNoticeId, asProductName, asVersion } from '../values.ts';
import { field, oneOf, optional, record, text, whole, yesNo } from './fields.ts';
import type { InstancePaths } from './paths.ts';
import { type FailedTrial, parseTrials, type Trial } from './trial.ts';

export type SupervisorKind = 'systemd' | 'process' | 'none';
export type StoredSettings = Readonly<Record<string, string | number | boolean>>;

/** Names one stored release: the folder `releases/PRODUCT/VERSION-DIGEST`. */
export interface ReleaseRef {
  readonly product: ProductName;
  readonly version: Version;
  /** 12 hex digits over everything that makes the stored release. */
  readonly digest: string;
}

/** The system user that the server runs as, where Assent runs as root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** True if Assent made the user, and so may remove it. */
  readonly made: boolean;
}

/** The installation before the current one: what `rollback` goes back to. */
export interface Previous {
  readonly release: ReleaseRef;
  readonly noticeId: NoticeId | null;
  readonly settings: StoredSettings;
  /** Folder under `backups/` that holds data, config and config.base of then. */
  readonly backup: string;
  readonly at: string;
}

export interface InstanceState {
  readonly format: 1;
  readonly name: InstanceName;
  readonly product: ProductName;
  /** What people call the product: `MailDev`. */
  readonly title: string;
  /** Names to addresses, as rendered at the last change: `web`, `smtp`. */
  readonly urls: Readonly<Record<string, string>>;
  /** False after an uninstall that kept data: settings and generation live on for the next install. */
  readonly installed: boolean;
  readonly generation: number;
  readonly key: GenerationKey;
  readonly release: ReleaseRef;
  /** The notice stored with the running release; null where the product declares no telemetry. */
  readonly noticeId: NoticeId | null;
  readonly settings: StoredSettings;
  readonly supervisor: SupervisorKind;
  readonly account: Account | null;
  /** DO_NOT_TRACK as written into the service's environment by a change that was run under a veto. */
  readonly veto: string | null;
  /** Whether the server is meant to run. */
  readonly running: boolean;
  readonly previous: Previous | null;
  /** Path of a manifest of one's own, where the product is not from the catalogue. */
  readonly manifest: string | null;
  readonly installedAt: string;
  readonly changedAt: string;
  /** The instance's folder when its configuration was written, which may name it. Absent in states of older versions. */
  readonly folder?: string;
  /** The release is on trial, or was; absent where it never was. */
  readonly trial?: Trial;
  /** Absent but after a rollback that a trial brought about. */
  readonly failedTrial?: FailedTrial;
}

/**
 * Reads the state, or undefined where there is none. A copy of another instance's folder is an instance of its own, under the name of the folder that it lies in: what the
 * other's name stands for (unit, lock, user) is none of its. Nor has it, or one that was moved, anything to go back to: the configuration of then names the folder that it was
 * written for. Throws 'refused-state-damaged' for a file that can't be trusted.
 */
export const readState = (paths: InstancePaths): InstanceState | undefined => {
  const content = readIfThere(paths.state);
  if (content === undefined) return undefined;
  try {
    return ofFolder(parseState(JSON.parse(content)), paths);
  } catch (error) {
    throw new Failure(
      'refused-state-damaged',
      `The state file ${paths.state} is damaged: ${(error as Error).message}.`,
      'Nothing was changed. Restore the file from a backup of the whole instance folder, or look at journal/ beside it for the last good state.',
      error,
    );
  }
};

const ofFolder = (state: InstanceState, paths: InstancePaths): InstanceState => {
  const here = isFromElsewhere(paths, state) ? { ...state, previous: null } : state;
  if (state.name === paths.name) return here;
  const { account } = state;
  return { ...here, name: paths.name, account: account === null ? null : { ...account, made: false } };
};

/** Whether its configuration was written for a folder elsewhere: this one was moved here, or is a copy. */
export const isFromElsewhere = ({ folder }: InstancePaths, state: InstanceState): boolean =>
  state.folder !== undefined && !isSameFolder(state.folder, folder);

/** Throws 'refused-check' for a copy of an instance that is still there, before its server is started: it would begin with that one's data. */
export const refuseCopy = (paths: InstancePaths, state: InstanceState): void => {
  const { folder } = state;
  if (
    folder === undefined ||
    !isFromElsewhere(paths, state) ||
    statIfThere(join(folder, 'instance.json')) === undefined
  )
    return;
  throw new Failure(
    'refused-check',
    `${paths.name} is a copy of ${folder}, and its configuration still names what lies there.`,
    `Give it one of its own, with ports of its own: assent reinstall ${paths.name} --set KEY=VALUE. Nothing was changed.`,
  );
};

/** Writes the state durably. Readable to the server's group, for the resolver runs there too. */
export const writeState = (paths: InstancePaths, state: InstanceState): void =>
  writeDurably(paths.state, `${JSON.stringify(state, null, 2)}\n`, sharedWith(state.account));

/** Mode and owner of a file that the server's account may read and not write. */
export const sharedWith = (account: Account | null): { mode: number; owner?: { uid: number; gid: number } } =>
  account === null ? { mode: 0o600 } : { mode: 0o640, owner: { uid: 0, gid: account.gid } };

/** One valid state, or an Error that names the field at fault. */
export const parseState = (value: unknown): InstanceState => {
  const at = record(value, 'the document');
  if (at['format'] !== 1) throw new Error(`format ${JSON.stringify(at['format'])} is not known to this version`);
  return {
    format: 1,
    name: field(at, 'name', asInstanceName),
    product: field(at, 'product', asProductName),
    title: text(at, 'title'),
    urls: texts(at['urls'], 'urls'),
    installed: yesNo(at, 'installed'),
    generation: whole(at, 'generation', 1),
    key: field(at, 'key', asGenerationKey),
    release: parseReleaseRef(at['release'], 'release'),
    noticeId: optional(at, 'noticeId', asNoticeId),
    settings: parseSettings(at['settings'], 'settings'),
    supervisor: oneOf(at, 'supervisor', ['systemd', 'process', 'none']),
    account: at['account'] === null ? null : parseAccount(at['account']),
    veto: optional(at, 'veto', (value) => value),
    running: yesNo(at, 'running'),
    previous: at['previous'] === null ? null : parsePrevious(at['previous']),
    manifest: optional(at, 'manifest', (value) => value),
    installedAt: text(at, 'installedAt'),
    changedAt: text(at, 'changedAt'),
    ...(at['folder'] === undefined ? {} : { folder: text(at, 'folder') }),
    ...parseTrials(at),
  };
};

export const parseReleaseRef = (value: unknown, where: string): ReleaseRef => {
  const at = record(value, where);
  return {
    product: field(at, 'product', asProductName),
    version: field(at, 'version', asVersion),
    digest: field(at, 'digest', (digest) => (/^[0-9a-f]{12}$/.test(digest) ? digest : undefined)),
  };
};

const parseAccount = (value: unknown): Account => {
  const at = record(value, 'account');
  return { name: text(at, 'name'), uid: whole(at, 'uid', 1), gid: whole(at, 'gid', 1), made: yesNo(at, 'made') };
};

const parsePrevious = (value: unknown): Previous => {
  const at = record(value, 'previous');
  return {
    release: parseReleaseRef(at['release'], 'previous.release'),
    noticeId: optional(at, 'noticeId', asNoticeId),
    settings: parseSettings(at['settings'], 'previous.settings'),
    backup: field(at, 'backup', (name) => (/^[\w.-]+$/.test(name) && !name.startsWith('.') ? name : undefined)),
    at: text(at, 'at'),
  };
};

const texts = (value: unknown, where: string): Readonly<Record<string, string>> => {
  const at = record(value, where);
  return Object.fromEntries(Object.keys(at).map((name) => [name, text(at, name)]));
};

const parseSettings = (value: unknown, where: string): StoredSettings => {
  const at = record(value, where);
  for (const [name, setting] of Object.entries(at)) {
    if (!['string', 'number', 'boolean'].includes(typeof setting)) throw new Error(`${where}.${name} is no setting`);
  }
  return at as StoredSettings;
};
