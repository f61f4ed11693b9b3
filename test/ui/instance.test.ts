/** An instance for people: what is not there any more is not told. */
import { expect, it } from 'vitest';
import { loadPaint, symbolsFor } from '../../src/ui/paint.ts';
import type { InstanceView } from '../../src/ui/result.ts';
import { detailLines, instanceLines, tableLines } from '../../src/ui/views/instance.ts';

const look = { paint: await loadPaint(false), symbols: symbolsFor({ LANG: 'C.UTF-8' }), columns: 80 };
const said = (lines: readonly string[]): string => lines.join(' ').replace(/\s+/g, ' ');
const instance: InstanceView = {
  name: 'mail',
  product: 'maildev',
  title: 'MailDev',
  version: '3.0.0',
  previous: null,
  generation: 1,
  supervisor: 'process',
  state: 'running',
  health: 'healthy',
  urls: {},
  paths: {},
};

it('tells what keeps a server, but of none that is uninstalled', () => {
  expect(detailLines(instance, look).join('\n')).toContain('kept by');
  expect(detailLines({ ...instance, version: null }, look).join('\n')).not.toContain('kept by');
});

const damaged: InstanceView = {
  ...instance,
  name: 'chat',
  title: 'chat',
  version: null,
  state: 'unknown',
  health: 'unknown',
  detail: 'The state file /srv/assent/instances/chat/instance.json is damaged: Unexpected end of JSON input.',
};

it('says why it is unknown how an instance is', () => {
  const lines = instanceLines(damaged, look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(said(lines)).toContain(`chat is unknown. because ${damaged.detail}`);
  expect(said(instanceLines(instance, look))).not.toContain('because');
});

it('says below the table why an instance is as it is, and of none that needs no word', () => {
  const unwell = { ...instance, name: 'mail-2', health: 'unhealthy', detail: 'SMTP: it did not answer' } as const;
  const lines = tableLines([damaged, instance, unwell], look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.slice(0, 4).map((line) => line.trim().split(' ')[0])).toEqual(['NAME', 'chat', 'mail', 'mail-2']);
  expect(said(lines.slice(4))).toBe(` chat: ${damaged.detail} mail-2: SMTP: it did not answer`);
});
