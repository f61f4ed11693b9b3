/** What is made of what was seen: whom a server reached for, what shows nothing, and each verdict with its reasons. */

import { describe, expect, it, test } from 'vitest';
import { scratchNameServer } from '../../../src/instance/scratch.ts';
import { type Packet, parsePackets } from '../../../src/telemetry/prove/packets.ts';
import { controlName, type RunReport } from '../../../src/telemetry/prove/run-inside.ts';
import { destinationText, judge, type Looking, type Seen, seenIn } from '../../../src/telemetry/prove/verdict.ts';

const control = '198.18.1.0';
const looking: Looking = { folder: '/srv/instances/mail', own: [{ address: '192.0.2.5', port: 8025 }], port: 4318 };

const report = (changes: Partial<RunReport> = {}): RunReport => ({
  ill: null,
  traffic: { requests: 24, clients: 6, mails: 1, failed: [] },
  lookups: [],
  counted: [],
  names: { [controlName]: control },
  caught: [],
  calls: { reached: [], written: [], hidden: false },
  control: { name: controlName, lookup: true, caught: true, call: true },
  ...changes,
});

/** tcpdump's lines: the control is there, as in every run. */
const packets = (...lines: string[]): Packet[] =>
  parsePackets(
    [`IP ${control}.50000 > ${control}.4318: Flags [S], seq 1`, ...lines].map((line) => `1.0 ${line}`).join('\n'),
  );

const seen = (changes: Partial<RunReport> = {}, lines: string[] = []): Seen =>
  seenIn(report(changes), packets(...lines), looking);

describe('a run', () => {
  it('that did nothing has nothing but its traffic: the control is taken out', () => {
    const asked = `IP ${scratchNameServer}.41000 > ${scratchNameServer}.53: 7+ A? ${controlName}. (38)`;
    const answered = `IP ${scratchNameServer}.53 > ${scratchNameServer}.41000: 7* 1/0/0 A ${control} (54)`;
    expect(seen({}, [asked, answered])).toEqual({
      ...{ packets: [], packetCount: 0, lookups: [], destinations: [], files: [], counted: [] },
      ...{ sent: { requests: 0, bytes: 0 }, worthless: null, traffic: report().traffic },
    });
  });

  it('names a destination once, with all that saw it, the name it was looked up by, and the first line it was told', () => {
    const names = { [controlName]: control, 'stats.example': '198.18.1.1' };
    const caught = [
      { address: '198.18.1.1', port: 80, bytes: 9, said: 'POST /ping HTTP/1.1\r\nHost: x' },
      { address: '198.18.1.1', port: 80, bytes: 9, said: 'POST /again HTTP/1.1\r\n' },
    ];
    const calls = { reached: [{ address: '198.18.1.1', port: 80 }], written: [], hidden: false };
    const lines = ['IP 198.18.1.1.51000 > 198.18.1.1.80: Flags [S], seq 1'];
    expect(seen({ names, caught, calls, lookups: ['stats.example'] }, lines)).toMatchObject({
      lookups: ['stats.example'],
      destinations: [
        {
          ...{ address: '198.18.1.1', port: 80, name: 'stats.example' },
          ...{ seenBy: ['packets', 'calls', 'sink'], said: 'POST /ping HTTP/1.1' },
        },
      ],
      packets: ['tcp 198.18.1.1:51000 > 198.18.1.1:80'],
    });
  });

  it('does not show what is no text', () => {
    const caught = [{ address: '203.0.113.7', port: 443, bytes: 3, said: '\x16\x03\x01' }];
    expect(seen({ caught }).destinations).toEqual([
      { address: '203.0.113.7', port: 443, name: null, seenBy: ['sink'], said: null },
    ]);
  });

  test.each([
    ['loopback', '127.0.0.9', 80],
    ["IPv6's loopback", '::1', 80],
    ['any address', '0.0.0.0', 80],
    ["IPv6's any address", '::', 80],
    ["the server's own address", '192.0.2.5', 8025],
    ['a port 0, as the library asks which of its addresses it would use', '203.0.113.7', 0],
    ['the name server, whose questions are look-ups', scratchNameServer, 53],
  ])('takes %s for no destination', (_, address, port) => {
    expect(seen({ calls: { reached: [{ address, port }], written: [], hidden: false } }).destinations).toEqual([]);
  });

  it("takes the server's own port at another address, and another port at its own, for destinations", () => {
    const reached = [
      { address: '192.0.2.6', port: 8025 },
      { address: '192.0.2.5', port: 8026 },
    ];
    expect(seen({ calls: { reached, written: [], hidden: false } }).destinations).toHaveLength(2);
  });

  it('counts what came to the sink of reports, and names files relative to the instance', () => {
    const caught = [{ address: '127.0.0.1', port: 4318, bytes: 700, said: 'POST /v1/metrics HTTP/1.1' }];
    const written = [
      '/srv/instances/mail/data/a',
      '/var/tmp/b',
      '/dev/null',
      '/proc/1/x',
      '/srv/instances/mail/data/a',
    ];
    const run = seen({ caught, calls: { reached: [], written, hidden: false } });
    expect(run.sent).toEqual({ requests: 1, bytes: 700 });
    expect(run.files).toEqual(['data/a', '/var/tmp/b']);
  });

  it('shows 200 packets at most, and counts all', () => {
    const lines = Array.from({ length: 300 }, (_, at) => `IP 9.9.9.9.${at + 1000} > 9.9.9.9.999: UDP, length 1`);
    const run = seen({}, lines);
    expect([run.packets.length, run.packetCount]).toEqual([200, 300]);
  });
});

describe('a run shows nothing', () => {
  const blind = (changes: Partial<RunReport['control']>) => ({ control: { ...report().control, ...changes } });
  test.each([
    ['a server that is ill', { ill: 'the server is not healthy: 502' }, 'the server is not healthy: 502'],
    ['look-ups that were not seen', blind({ lookup: false }), /not seen: name look-ups$/],
    ['connections that were not seen', blind({ caught: false }), /not seen: connections$/],
    ['calls that were not seen', blind({ call: false }), /not seen: calls \(strace\)$/],
    ['none of them', blind({ lookup: false, caught: false, call: false }), /: name look-ups, connections, calls/],
  ] as const)('with %s', (_, changes, says) => {
    expect(seen(changes).worthless).toEqual(typeof says === 'string' ? says : expect.stringMatching(says));
  });

  it('where tcpdump has not seen the control', () => {
    expect(seenIn(report(), [], looking).worthless).toMatch(/not seen: packets \(tcpdump\)$/);
  });

  it('without packets where calls were hidden or not looked at; calls alone are enough', () => {
    const hidden = { reached: [], written: [], hidden: true };
    const untraced = report({ calls: null, control: { ...report().control, call: null } });
    expect(seenIn(report({ calls: hidden }), null, looking).worthless).toMatch(/io_uring/);
    expect(seenIn(untraced, null, looking).worthless).toMatch(/^neither packets nor calls/);
    expect(seenIn(report(), null, looking).worthless).toBe(null);
    expect(seenIn(report({ calls: hidden }), packets(), looking).worthless).toBe(null);
    expect(seenIn(untraced, packets(), looking).worthless).toBe(null);
  });
});

describe('the verdict', () => {
  const off = seen();
  const part = { path: 'telemetry/counts/2026-11-25.0123456789abcdef.json', bytes: 200 };
  const on: Seen = { ...off, counted: [part], sent: { requests: 1, bytes: 700 } };
  const destination = { address: '203.0.113.7', port: 443, name: null, seenBy: ['calls'], said: null } as const;

  test.each([
    ['off is quiet, on is seen at work', off, on, true],
    ['there is nothing to say yes to', off, null, false],
    [
      'a yes has only the server itself to turn on, which may do as it says',
      off,
      { ...off, lookups: ['a.example'] },
      false,
    ],
  ] as const)('clean: %s', (_, one, other, counts) => {
    expect(judge(one, other, counts)).toEqual({ verdict: 'clean', reasons: [] });
  });

  test.each([
    ['a look-up', { lookups: ['a.example'] }, 'the name a.example was looked up'],
    ['a destination', { destinations: [destination] }, '203.0.113.7:443 was reached for'],
    ['packets that nobody can be named for', { packetCount: 3 }, "3 packets were no loopback's"],
    [
      'requests where reports would go',
      { sent: { requests: 2, bytes: 0 } },
      '2 requests came to where reports would go',
    ],
    ['a count', { counted: [part] }, `${part.path} was written`],
    ['a file of telemetry that is gone again', { files: ['data/a', 'reports/x'] }, 'reports/x was written'],
  ] as const)('reaches out: %s', (_, changes, reason) => {
    expect(judge({ ...off, ...changes }, on, true)).toEqual({ verdict: 'reaches-out', reasons: [reason] });
  });

  it('reaches out also where the run is worth nothing otherwise; packets are not told twice', () => {
    const bad = {
      ...off,
      lookups: ['a.example'],
      packetCount: 2,
      worthless: 'it is ill',
      counted: [part],
      files: [part.path],
    };
    expect(judge(bad, null, true)).toEqual({
      verdict: 'reaches-out',
      reasons: ['the name a.example was looked up', `${part.path} was written`],
    });
  });

  test.each([
    ['a run that shows nothing', { ...off, worthless: 'it was ill' }, on, 'with consent off it was ill'],
    [
      'requests without an answer',
      { ...off, traffic: { ...off.traffic, failed: ['GET /: refused', 'GET /b: refused'] } },
      on,
      'requests got no answer: GET /: refused',
    ],
    ['a control that shows nothing', off, { ...on, worthless: 'it was ill' }, 'with consent on it was ill'],
    ['a control that counts nothing', off, { ...on, counted: [] }, 'with consent on nothing was counted'],
    [
      'a control that sends nothing',
      off,
      { ...on, sent: { requests: 0, bytes: 0 } },
      'with consent on nothing came to where reports go',
    ],
  ] as const)('unproven: %s', (_, one, other, reason) => {
    expect(judge(one, other, true)).toEqual({ verdict: 'unproven', reasons: [reason] });
  });

  it('does not ask for counts and reports of a product that has none', () => {
    expect(judge(off, off, false).verdict).toBe('clean');
    expect(judge(off, off, true).reasons).toHaveLength(2);
  });

  it('names a destination as people can look it up', () => {
    expect(destinationText({ ...destination, name: 'a.example' })).toBe('a.example:443 (203.0.113.7)');
    expect(destinationText({ ...destination, name: 'a.example', port: null })).toBe('a.example (203.0.113.7)');
    expect(destinationText({ ...destination, address: '2001:db8::1' })).toBe('[2001:db8::1]:443');
  });
});
