/** Whose data a rollback takes: what was told, else what is answered at a terminal, else the default. Asked only where both are there. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseData, formatChanged } from '../../src/change/data-choice.ts';
import type { ChangeRequest, Ports } from '../../src/change/request.ts';
import type { Target } from '../../src/change/target.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { asInstanceName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';

const rollback: ChangeRequest = { kind: 'rollback', given: {}, yes: false, dryRun: false, ack: [] };

/** A rollback across a change of the data's format, so that the default is the data of then; whoever is asked says now. */
const chosen = async (more: Partial<ChangeRequest> = {}, { interactive = true, thenIsThere = true } = {}) => {
  const home = sandbox();
  const name = asInstanceName('mail');
  if (name === undefined) throw new Error('a name that is none');
  const paths = instancePaths(home, name);
  for (const folder of [paths.data, ...(thenIsThere ? [join(paths.backups, '000002-upgrade/data')] : [])])
    mkdirSync(folder, { recursive: true });
  const ports = { home, asker: { interactive, data: async () => 'now' } } as unknown as Ports;
  const release = (version: string) => ({ product: 'maildev', version, digest: '0123456789ab' });
  const target = {
    paths,
    before: { release: release('3.0.0') },
    product: { releases: [] },
    release: { version: '2.2.1', data: { format: 1 } },
    to: release('2.2.1'),
    restore: { backup: '000002-upgrade', at: '2026-01-02T03:04:05.000Z' },
  } as unknown as Target;
  return chooseData(ports, { ...rollback, ...more }, target);
};

test('at a terminal it is what is answered', async () => {
  expect(await chosen()).toBe('now');
});

test.each([
  ['without a terminal', {}, { interactive: false }],
  ['with --yes', { yes: true }, {}],
  ['with --dry-run', { dryRun: true }, {}],
  ['where there is no data of then', {}, { thenIsThere: false }],
])('%s it is the default', async (_case, more, world) => {
  expect(await chosen(more, world)).toBe('then');
});

test.each(['then', 'now'] as const)('told to take the data of %s, it takes that', async (data) => {
  expect(await chosen({ data })).toBe(data);
  expect(await chosen({ data }, { interactive: false })).toBe(data);
});

test.each([
  [
    'is that of the catalogue where the store has the release no more',
    [{ version: '3.0.0', data: { format: 1 } }],
    false,
  ],
  ['is another where the catalogue says so', [{ version: '3.0.0', data: { format: 2 } }], true],
  ['is taken for another where nobody knows the release', [], true],
])('the format of the data %s', (_case, releases, changed) => {
  const before = { release: { product: 'maildev', version: '3.0.0', digest: '0123456789ab' } };
  const target = { before, product: { releases }, release: { version: '2.2.1', data: { format: 1 } } };
  expect(formatChanged({ home: sandbox() } as Ports, target as unknown as Target)).toBe(changed);
});
