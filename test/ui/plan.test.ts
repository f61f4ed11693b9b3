/** The plan on screens of several widths: nothing is cut off, nothing wraps by itself, and every danger tells the id that accepts it. */
import { describe, expect, it } from 'vitest';
import type { Plan, Step } from '../../src/change/plan.ts';
import type { Look } from '../../src/ui/look.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { planLines, titleLine } from '../../src/ui/views/plan.ts';
import { asInstanceName } from '../../src/values.ts';

const look = (columns: number): Look => ({ paint: noPaint, symbols: symbolsFor({}), columns });

const step = (id: Step['step'], title: string, bytes = 0): Step => ({
  id,
  step: id,
  phase: 'change',
  title,
  undo: null,
  downtime: false,
  bytes,
});

const plan: Plan = {
  format: 1,
  kind: 'upgrade',
  instance: asInstanceName('mail')!,
  title: 'MailDev 3.0.0',
  from: null,
  to: null,
  generation: 2,
  stateDigest: 'd',
  steps: [
    step('fetch', 'MailDev 3.0.0, 267 packages, each checked by sha512', 31_000_000),
    step('second-copy', 'copy what has changed since'),
    step(
      'health',
      'speak with it until it has been healthy for some seconds, however long that takes within its limits',
    ),
  ],
  dangers: [
    {
      id: 'config-conflict',
      message: 'server.env was edited where the new release changes it.',
      remedy: 'Yours stays.',
    },
  ],
  warnings: [{ id: 'note', message: 'A server\u001b[2J said this.', remedy: '' }],
  space: [{ mount: '/var', bytes: 112_000_000, inodes: 9900, freeBytes: 2_000_000_000, freeInodes: null }],
  downtimeSeconds: 2.4,
};

describe.each([60, 80, 120])('at %i columns', (columns) => {
  const lines = planLines(plan, look(columns));

  it('no line is longer than the screen', () => {
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  });

  it('everything is said', () => {
    const text = lines.join(' ').replace(/\s+/g, ' ');
    for (const part of [
      '1 fetch',
      '2 second-copy',
      '3 health',
      '31 MB',
      '112 MB and 9900 files on /var',
      'about 3 s',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('within its limits');
    expect(text).toContain('--ack config-conflict');
    expect(text).toContain('A server said this.');
  });

  it('the columns of the steps are aligned', () => {
    const starts = lines.filter((line) => /^ {4}\d/.test(line)).map((line) => line.search(/(?<=\d {2}[a-z-]+ +)\S/));
    expect(new Set(starts).size).toBe(1);
  });
});

it('the title leaves out the hint where there is no room for it', () => {
  expect(titleLine('MailDev 3.0.0', 'SMTP server', look(80))).toMatch(
    /^ {2}MailDev 3\.0\.0 - SMTP server +more: assent products$/,
  );
  expect(titleLine('MailDev 3.0.0', 'SMTP server', look(80))).toHaveLength(78);
  expect(titleLine('MailDev 3.0.0', 'SMTP server with a WebClient', look(50))).not.toContain('more');
});

it('the title breaks between words', () => {
  expect(titleLine('MailDev 3.0.0', 'SMTP server with a WebClient', look(30)).split('\n')).toEqual([
    '  MailDev 3.0.0 - SMTP server',
    '  with a WebClient',
  ]);
});
