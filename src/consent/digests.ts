/**
 * The digests that tie a record to one generation of one instance in one folder on one machine.
 *
 * They are keyed with the generation's key, which never leaves the machine: compared with anything from elsewhere they mean nothing.
 * Pure: bytes in, hex out.
 */

import { createHash, createHmac } from 'node:crypto';
import type { GenerationKey } from '../values.ts';
import type { Binding } from './resolver.ts';

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What may be written of a key: enough to know it again. */
export const keyDigest = (key: GenerationKey): string => sha256(`assent generation key ${key}`);

/** Where a record belongs. `folder` is the real path of the instance's folder. */
export const bindingOf = (key: GenerationKey, place: { name: string; folder: string; machine: string }): Binding => ({
  name: keyed(key, `name ${place.name}`),
  folder: keyed(key, `folder ${place.folder}`),
  machine: keyed(key, `machine ${place.machine}`),
});

const keyed = (key: GenerationKey, text: string): string => createHmac('sha256', key).update(text).digest('hex');
