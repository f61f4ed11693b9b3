/** An instance for people: what is not there any more is not told. */
import { describe, expect, it } from 'vitest';
import { loadPaint, symbolsFor } from '../../src/ui/paint.ts';
import type { InstanceView } from '../../src/ui/result.ts';
import { detailLines, instanceLines, lookedLines, tableLines } from '../../src/ui/views/instance.ts';

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

describe('the table of several', () => {
  const one = (name: string, health: 'healthy' | 'unhealthy', port: number): InstanceView => ({
    ...instance,
    name,
    product: name,
    health,
    urls: { web: `http://127.0.0.1:${port}` },
  });
  const all = [one('maildev', 'healthy', 1080), one('node-red', 'unhealthy', 1880), one('prosody', 'healthy', 5280)];

  it('has a line each where there is room', () => {
    const lines = tableLines(all, { ...look, columns: 100 });
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^ {2}node-red +node-red +3\.0\.0 +running, but unhealthy +unknown +http:\S+:1880$/);
  });

  it('has the addresses on lines of their own at 80 columns', () => {
    const lines = tableLines(all, look);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[0]).toMatch(/TELEMETRY$/);
    expect(lines[3]).toMatch(/^ {2}node-red +node-red +3\.0\.0 +running, but unhealthy +unknown$/);
    expect(lines.filter((_, at) => at > 0 && at % 2 === 0)).toEqual(
      ['1080', '1880', '5280'].map((port) => `    http://127.0.0.1:${port}`),
    );
  });

  it.each([40, 60, 80])('is given up where the names are too long for %i columns', (columns) => {
    const long = all.map((view) => ({
      ...view,
      name: `a-second-${view.name}-for-the-tests`,
      product: view.name.repeat(3),
    }));
    const lines = tableLines(long, { ...look, columns });
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    for (const { name, product } of long) expect(said(lines)).toContain(`${name} ${product} 3.0.0, running`);
    expect(lines.filter((line) => line.startsWith('    http://127.0.0.1:'))).toHaveLength(3);
  });
});

/** What a server may say to whoever asks it: it clears the screen, goes to its beginning, and writes over the line. */
const hostile = (word: string): string => `${word}\u001b[2J\u001b[H\u009b2J\r\u0007`;
const moving = /[^\P{Cc}\n]/u;

it('shows what servers and files say, and none of it moves the cursor', () => {
  const failed = { at: '2026-01-01', reason: hostile('it greets with 554') };
  const views: InstanceView[] = [
    { ...instance, detail: hostile('SMTP'), urls: { [hostile('web')]: hostile('http://127.0.0.1') } },
    { ...instance, title: hostile('MailDev'), paths: { folder: hostile('/srv') } },
    { ...instance, trial: { until: hostile('2026'), failed, waits: hostile('it waits') } },
    { ...instance, trial: { until: hostile('2026') } },
    { ...instance, failedTrial: { version: hostile('3.0.0'), ...failed } },
    { ...instance, login: { user: hostile('admin'), passwordFile: hostile('/srv') } },
    { ...instance, ownTelemetry: { obeyed: false, detail: hostile('the server tells') } },
    { ...instance, ownTelemetry: { obeyed: 'unknown', detail: hostile('Unexpected token') } },
    { ...instance, unfinished: { kind: 'upgrade', step: hostile('start'), at: hostile('2026'), running: false } },
  ];
  for (const view of views)
    for (const lines of [instanceLines(view, look), tableLines([view], look)])
      expect(lines.join('\n')).not.toMatch(moving);
  expect(said(views.flatMap((view) => instanceLines(view, look)))).toMatch(
    /it greets with 554.+it waits.+Unexpected token/,
  );
  expect(lookedLines('mail', hostile('it greets with 554'), look)).toEqual(['  mail: it greets with 554']);
});
