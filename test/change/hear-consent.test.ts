/** What a change hears of a yes by flag: an uninstall nothing, for behind it nothing is installed that it could belong to. */
import { expect, test } from 'vitest';
import { hearConsent } from '../../src/change/ask.ts';
import type { ChangeRequest, Ports } from '../../src/change/request.ts';
import type { Target } from '../../src/change/target.ts';
import { makeNotice, noticeId } from '../../src/consent/notice.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { loadProduct, pickRelease } from '../../src/product/catalogue.ts';
import { asInstanceName } from '../../src/values.ts';
import { sure, testWorld } from '../consent/support.ts';
import { sandbox } from '../support/sandbox.ts';

const world = testWorld();
const product = await loadProduct(world, 'maildev');
const release = pickRelease(product, undefined);
const id = noticeId(sure(makeNotice(product, release, {})));

const heard = async (kind: ChangeRequest['kind'], telemetry: ChangeRequest['telemetry'], interactive = false) => {
  const home = sandbox();
  const paths = instancePaths(home, sure(asInstanceName('mail')));
  const notes: string[] = [];
  const ports = { world, home, asker: { interactive }, events: { note: (text: string) => notes.push(text) } };
  const request = { kind, given: {}, yes: true, dryRun: false, ack: [], telemetry } as ChangeRequest;
  const target = { kind, paths, product, release, before: null, from: null } as unknown as Target;
  const { answer } = await hearConsent(ports as unknown as Ports, request, target, {});
  return { answer, notes };
};

const yes = { say: 'on', by: 'flag', noticeId: id } as const;

test('a yes with the right id is one for a change behind which something is installed', async () => {
  expect((await heard('reinstall', yes)).answer).toEqual({ say: 'yes', by: 'flag', noticeId: id });
});

test.each([false, true])('an uninstall takes no yes and asks for none (at a terminal: %s)', async (interactive) => {
  const nobodyAsked = { answer: { say: 'none', reason: 'not-asked' }, notes: [] };
  expect(await heard('uninstall', yes, interactive)).toEqual(nobodyAsked);
  expect(await heard('uninstall', { say: 'on', by: 'answers' }, interactive)).toEqual(nobodyAsked);
});

test('an uninstall hears a no', async () => {
  expect((await heard('uninstall', { say: 'off', by: 'flag' })).answer).toEqual({ say: 'no', by: 'flag' });
});
