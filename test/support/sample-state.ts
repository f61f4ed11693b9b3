/** A state file's content, for tests that need one and none of its details. */
import type { InstanceState } from '../../src/instance/state.ts';
import type { InstanceName } from '../../src/values.ts';

export const sampleRelease = {
  product: 'maildev',
  version: '3.0.0',
  digest: '0123456789ab',
} as InstanceState['release'];

/** MailDev, installed as `mail` at the given moment, running under `process`. */
export const sampleState = (
  changes: Partial<InstanceState> = {},
  at: string = '2026-01-01T00:00:00.000Z',
): InstanceState => ({
  format: 1,
  name: 'mail' as InstanceName,
  product: 'maildev' as InstanceState['product'],
  title: 'MailDev',
  urls: {},
  installed: true,
  generation: 7,
  key: 'a'.repeat(64) as InstanceState['key'],
  release: sampleRelease,
  noticeId: null,
  settings: {},
  supervisor: 'process',
  account: null,
  veto: null,
  running: true,
  previous: null,
  manifest: null,
  installedAt: at,
  changedAt: at,
  ...changes,
});
