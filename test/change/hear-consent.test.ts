/** What a change hears of a yes by flag: an uninstall nothing, for behind it nothing is installed that it could belong to. And what a preview at the question is told to be of. */
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

test.each([
  ['the name of a product in the catalogue', { kind: 'install', product: 'maildev@3.0.0' }, null, 'maildev@3.0.0'],
  ['the default product', { kind: 'install' }, null, 'maildev@3.0.0'],
  ['a path as it was typed', { kind: 'install', product: './my/m.yaml' }, '/srv/my/m.yaml', './my/m.yaml@3.0.0'],
  ['where the manifest lies', { kind: 'upgrade' }, '/srv/my/m.yaml', '/srv/my/m.yaml@3.0.0'],
  ['where it lies, for an upgrade offered', { kind: 'upgrade', product: 'm.yaml' }, '/srv/m.yaml', '/srv/m.yaml@3.0.0'],
] as const)('a preview at the question names %s', async (_, wanted, manifest, reference) => {
  const paths = instancePaths(sandbox(), sure(asInstanceName('mail')));
  const target = { ...wanted, paths, product, release, manifest, before: null, from: null } as unknown as Target;
  const named: string[] = [];
  const consent = async (...[, , said]: Parameters<Ports['asker']['consent']>) => {
    named.push(said);
    return 'no' as const;
  };
  const ports = { world, home: sandbox(), asker: { interactive: true, consent } } as unknown as Ports;
  const request = { given: {}, yes: false, dryRun: false, ack: [], ...wanted } as unknown as ChangeRequest;
  await hearConsent(ports, request, target, {});
  expect(named).toEqual([reference]);
});

test.each([
  ['install', {}, 'maildev@3.0.0'],
  ['install', { 'telemetry.endpoint': 'none' }, 'maildev@3.0.0 --set telemetry.endpoint=none'],
  ['upgrade', {}, 'mail --to 3.0.0'],
] as const)(
  'a yes to another notice is told which command prints the one of this %s (%j)',
  async (kind, given, about) => {
    const paths = instancePaths(sandbox(), sure(asInstanceName('mail')));
    const from = kind === 'install' ? null : { product: 'maildev', version: '2.2.1' };
    const target = { kind, paths, product, release, manifest: null, before: null, from } as unknown as Target;
    const notes: string[] = [];
    const ports = {
      world,
      home: paths.home,
      asker: { interactive: false },
      events: { note: (text: string) => notes.push(text) },
    };
    const telemetry = { say: 'on', by: 'flag', noticeId: 'n0000000000000000' };
    const request = { kind, given, yes: true, dryRun: false, ack: [], telemetry } as unknown as ChangeRequest;
    await hearConsent(ports as unknown as Ports, request, target, given);
    expect(notes.join()).toContain(`Read it with: assent telemetry notice ${about}. Then: `);
  },
);
