/**
 * The record, `consent.json`: the decision that stands, repeated from the log in one small file that everybody who asks can read.
 *
 * Read by the parser here, which needs no library. Written through `conf` with a schema, then owner, mode and durability are settled by
 * us, and the file is read back: conf's writer takes a short write on a full disk for a whole one. A record that
 * can't be trusted as a file (a link, somebody else's) is removed before, never followed or kept.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, removeFile, statIfThere } from '../system/files.ts';
import { settleFile } from '../system/settled-file.ts';
import { canonicalJson } from '../values.ts';
import { isState, isWay } from './log-lines.ts';
import type { ConsentRecord } from './resolver.ts';
import type { Sharing } from './sharing.ts';

export type ParsedRecord = ConsentRecord | 'record-damaged' | 'record-newer';

/** The record that a file's text holds. Unknown members are damage: nobody but us writes here. */
export const parseRecord = (text: string): ParsedRecord => {
  const value = objectOf(text);
  if (value === undefined) return 'record-damaged';
  if (Number.isSafeInteger(value.format) && (value.format as number) > 1) return 'record-newer';
  return isRecord(value) ? value : 'record-damaged';
};

/** Writes the record durably. Throws the system's error; what then stands there does not agree with the log, and so is a no. */
export const writeRecord = async (paths: InstancePaths, record: ConsentRecord, sharing: Sharing): Promise<void> => {
  removeUntrusted(paths, sharing);
  const { default: Conf } = await import('conf');
  const conf = new Conf<Record<string, unknown>>({
    cwd: paths.folder,
    configName: 'consent',
    fileExtension: 'json',
    configFileMode: 0o600,
    schema,
    // The schema is ours. To check it, too, would take longer than everything else about a decision.
    ajvOptions: { meta: false, validateSchema: false },
    clearInvalidConfig: true,
    accessPropertiesByDotNotation: false,
  });
  conf.store = { ...record };
  settleFile(paths.consent, sharing.mode, sharing.owner);
  const written = parseRecord(readIfThere(paths.consent) ?? '');
  if (typeof written !== 'object' || textOf(written) !== textOf(record))
    throw new Error(`${paths.consent} was not written whole`);
};

/** The same record has the same text. */
export const textOf = (record: ConsentRecord): string =>
  canonicalJson({ ...record, binding: { ...record.binding }, log: { ...record.log } });

const removeUntrusted = (paths: InstancePaths, sharing: Sharing): void => {
  const stat = statIfThere(paths.consent);
  if (stat !== undefined && (stat.kind !== 'file' || stat.uid !== sharing.uid)) removeFile(paths.consent);
};

const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;

const schema = {
  format: { type: 'integer', const: 1 },
  state: { type: 'string', enum: ['not-asked', 'accepted', 'declined', 'withdrawn'] },
  generation: { type: 'integer', minimum: 1 },
  key: digest,
  binding: {
    type: 'object',
    properties: { name: digest, folder: digest, machine: digest },
    required: ['name', 'folder', 'machine'],
    additionalProperties: false,
  },
  noticeId: { type: ['string', 'null'], pattern: '^n[0-9a-f]{16}$' },
  by: { enum: ['prompt', 'flag', 'answers', null] },
  at: { type: 'string', minLength: 20 },
  log: {
    type: 'object',
    properties: { length: { type: 'integer', minimum: 1 }, head: digest },
    required: ['length', 'head'],
    additionalProperties: false,
  },
} as const;

const members = Object.keys(schema).sort().join();

const isRecord = (
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & ConsentRecord => {
  const binding = fieldsOf(value.binding);
  const log = fieldsOf(value.log);
  return (
    Object.keys(value).sort().join() === members &&
    value.format === 1 &&
    isState(value.state) &&
    isCount(value.generation) &&
    isDigest(value.key) &&
    [binding.name, binding.folder, binding.machine].every(isDigest) &&
    (value.noticeId === null || /^n[0-9a-f]{16}$/.test(String(value.noticeId))) &&
    (value.by === null || isWay(value.by)) &&
    typeof value.at === 'string' &&
    isCount(log.length) &&
    isDigest(log.head)
  );
};

const objectOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? fieldsOf(value) : undefined;
  } catch {
    return undefined;
  }
};

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
const isDigest = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
