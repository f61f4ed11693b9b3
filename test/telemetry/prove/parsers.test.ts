/** What strace and tcpdump print, as they print it, and a name server's bytes as a resolver sends them. */

import { expect, it } from 'vitest';
import { parseCalls } from '../../../src/telemetry/prove/calls.ts';
import { makeNames } from '../../../src/telemetry/prove/names.ts';
import { firstOfEach, parsePackets, written } from '../../../src/telemetry/prove/packets.ts';

it('finds in calls whom was reached for, and nothing that a server only talks about', () => {
  const { reached } = parseCalls(
    [
      '12 connect(21<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("203.0.113.7")}, 16) = -1 EINPROGRESS (in progress)',
      '12 connect(22, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::ffff:9.9.9.9", &sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>',
      '13 sendmmsg(23, [{msg_hdr={msg_name={sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("9.9.9.9")}, msg_namelen=16}}], 1, 0) = 1',
      '13 sendto(24, "sin_port=htons(1), sin_addr=inet_addr(\\"6.6.6.6\\")", 40, 0, NULL, 0) = 40',
      '13 connect(25, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0',
    ].join('\n'),
  );
  expect(reached.map(written)).toEqual(['203.0.113.7:443', '9.9.9.9:80', '9.9.9.9:53']);
});

it('finds in calls what was written, not what was read or failed, also where another call came between', () => {
  const calls = parseCalls(
    [
      '1 openat(AT_FDCWD</srv/data>, "mail/a.eml", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3</srv/data/mail/a.eml>',
      '1 openat(AT_FDCWD</srv>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</etc/hosts>',
      '1 openat(AT_FDCWD</srv>, "/root/no", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)',
      '2 openat(AT_FDCWD</srv>, "slow", O_RDWR|O_CREAT, 0666 <unfinished ...>',
      '3 openat(AT_FDCWD</srv>, "refused", O_RDWR|O_CREAT, 0666 <unfinished ...>',
      '2 <... openat resumed>) = 4</srv/slow>',
      '3 <... openat resumed>) = -1 ENOSPC (No space left on device)',
      '1 rename("/srv/.b.part", "/srv/b") = 0',
      '1 io_uring_setup(256, {flags=0}) = 9',
    ].join('\n'),
  );
  expect(calls.written).toEqual(['/srv/b', '/srv/data/mail/a.eml', '/srv/slow']);
  expect(calls.hidden).toBe(true);
});

it('tells io_uring that a process has from what it was refused', () => {
  const refused = '1 io_uring_setup(256, {flags=0}) = -1 ENOSYS (Function not implemented) (INJECTED)';
  expect(parseCalls(refused).hidden).toBe(false);
});

it('tells from packets who began, whatever the family', () => {
  const packets = parsePackets(
    [
      '1795609558.431647 IP 8.8.8.8.58444 > 8.8.8.8.80: Flags [S], seq 1, win 65495, length 0',
      '1795609558.431664 IP 8.8.8.8.80 > 8.8.8.8.58444: Flags [S.], seq 1, ack 1, win 65483, length 0',
      '1795609558.433317 IP6 ::1.45420 > 2001:db8::1.80: Flags [S], seq 4155953908, win 65476, length 0',
      '1795609558.433863 IP 9.9.9.9.44831 > 9.9.9.9.999: UDP, length 1',
      '1795609558.433896 IP 9.9.9.9 > 9.9.9.9: ICMP 9.9.9.9 udp port 999 unreachable, length 37',
      'listening on lo',
    ].join('\n'),
  );
  expect(packets).toHaveLength(5);
  const first = firstOfEach(packets).map(({ protocol, to }) => `${protocol} ${written(to)}`);
  expect(first).toEqual(['tcp 8.8.8.8:80', 'tcp [2001:db8::1]:80', 'udp 9.9.9.9:999']);
});

it('gives each name an address of its own, and takes nonsense for nothing', () => {
  const names = makeNames();
  const query = (name: string, type: number): Buffer => {
    const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
    const head = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1])]);
  };
  const [one, other] = [names.answer(query('One.example', 1)), names.answer(query('two.example', 1))];
  expect([one?.subarray(-4).join('.'), other?.subarray(-4).join('.')]).toEqual(['198.18.1.0', '198.18.1.1']);
  expect(names.answer(query('one.example', 28))?.readUInt16BE(6)).toBe(0);
  expect(names.answer(query('1.2.0.192.in-addr.arpa', 12))?.readUInt16BE(2)).toBe(0x8583);
  expect(names.asked()).toEqual(['one.example', 'two.example', '1.2.0.192.in-addr.arpa (PTR)']);
  expect(names.addressOf('one.example')).toBe('198.18.1.0');
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(12), Buffer.alloc(20, 0xff), query('x', 1).subarray(0, 16)]) {
    expect(names.answer(bytes)).toBe(undefined);
  }
});
