/** What people read where an undo failed, too: both reasons, and one log. */
import { expect, it } from 'vitest';
import type { ChangeContext } from '../../src/change/context.ts';
import { stuckFailure, undoneFailure } from '../../src/change/undone.ts';
import { Unhealthy } from '../../src/change/unhealthy.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import type { InstanceName } from '../../src/values.ts';

const paths = instancePaths('/srv/assent', 'mail' as InstanceName);
const opening = { kind: 'upgrade', plan: { instance: 'mail' }, before: null, backup: '000002-upgrade' };
const ctx = { paths, opening } as unknown as ChangeContext;

it.each([
  [new Unhealthy('it answers 503', 'log of the new'), new Unhealthy('port 80 is taken', 'log of the old'), 'old'],
  [new Unhealthy('it answers 503', 'log of the new'), new Error('port 80 is taken'), 'new'],
  [new Error('it answers 503'), new Error('port 80 is taken'), undefined],
])('names both reasons, and the log that there is once', (cause, error, log) => {
  const { message, advice, exit } = stuckFailure(ctx, undefined, cause, error);
  const [told, ...logs] = message.split('\nThe end of its log:\n');
  expect(told).toBe(
    'The upgrade of mail failed (it answers 503), and undoing it failed too at "tidying up": port 80 is taken',
  );
  expect(logs).toEqual(log === undefined ? [] : [`log of the ${log}`]);
  expect(advice).toContain('/srv/assent/instances/mail/recover/assent recover mail --undo');
  expect(exit).toBe(7);
});

it.each([
  ['logs, where nothing was there before', null, 'Nothing is installed; only logs were kept.'],
  ['what an uninstall had kept', { installed: false }, 'is as it was, in /srv/assent/instances/mail.'],
])('tells that an undone install leaves %s', (_case, before, told) => {
  const after = { supervisor: 'process' };
  const undone = { ...ctx, opening: { ...opening, kind: 'install', before, after } } as unknown as ChangeContext;
  expect(undoneFailure(undone, new Error('it answers 503')).advice).toContain(told);
});
