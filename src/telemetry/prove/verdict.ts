/**
 * What was seen in one run, put together from everything that looked, and what both runs together prove. Pure.
 *
 * Loopback, the server's own addresses and the name server are no destinations; the last one's questions are look-ups. What was done on purpose, as a
 * control, is taken out. A proof is worth something only if its means have seen the control, and if a yes was seen at work.
 */

import { posix } from 'node:path';
import { isLoopback } from '../../product/network-names.ts';
import { isTemporary } from '../../system/files.ts';
import { type CountedFile, isOfTelemetry } from './counted.ts';
import { isNameServer } from './names.ts';
import { conversationOf, type Endpoint, firstOfEach, type Packet, written } from './packets.ts';
import type { RunReport } from './run-inside.ts';
import type { Traffic } from './traffic.ts';

export type Verdict = 'clean' | 'reaches-out' | 'unproven';

export interface Destination {
  readonly address: string;
  readonly port: number | null;
  /** The name that was looked up for it; null where it was reached by its number. */
  readonly name: string | null;
  /** How it was seen. */
  readonly seenBy: readonly ('packets' | 'calls' | 'sink')[];
  /** The first line that arrived there; null where nothing did. */
  readonly said: string | null;
}

export interface Seen {
  /** As `udp 10.0.0.1:53 > 9.9.9.9:53`; at most as many as `mostPackets`. */
  readonly packets: readonly string[];
  readonly packetCount: number;
  readonly lookups: readonly string[];
  readonly destinations: readonly Destination[];
  /** Files opened for writing, relative to the instance's folder where they are in it. */
  readonly files: readonly string[];
  /** Of telemetry/ and reports/. */
  readonly counted: readonly CountedFile[];
  /** What arrived at the sink for reports. */
  readonly sent: { readonly requests: number; readonly bytes: number };
  readonly traffic: Traffic;
  /** Why the run shows nothing; null where it does. */
  readonly worthless: string | null;
}

export interface Looking {
  /** The instance's folder. */
  readonly folder: string;
  /** Where the server itself listens. */
  readonly own: readonly { readonly address: string; readonly port: number }[];
  /** Of the sink for reports. */
  readonly port: number;
}

const mostPackets = 200;

/** `packets` is null where tcpdump was not there. */
export const seenIn = (report: RunReport, packets: readonly Packet[] | null, looking: Looking): Seen => {
  const foreign = foreignOf(packets ?? [], report, looking);
  const files = (report.calls?.written ?? []).flatMap((path) => shownFile(path, looking.folder));
  const sent = report.caught.filter((one) => one.port === looking.port);
  return {
    packets: foreign
      .slice(0, mostPackets)
      .map(({ protocol, from, to }) => `${protocol} ${written(from)} > ${written(to)}`),
    packetCount: foreign.length,
    lookups: report.lookups,
    destinations: destinationsOf(report, foreign, looking),
    files: [...new Set(files)],
    counted: report.counted,
    sent: { requests: sent.length, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) },
    traffic: report.traffic,
    worthless: report.ill ?? blindness(report, packets),
  };
};

/** Which of the means did not see what was done on purpose. */
const blindness = ({ control, names, calls }: RunReport, packets: readonly Packet[] | null): string | null => {
  const blind = [
    ...(control.lookup ? [] : ['name look-ups']),
    ...(control.caught ? [] : ['connections']),
    ...(control.call === false ? ['calls (strace)'] : []),
    ...(packets === null || packets.some(({ to }) => to.address === names[control.name]) ? [] : ['packets (tcpdump)']),
  ];
  if (blind.length > 0)
    return `a look-up and a connection that were made on purpose were not seen: ${blind.join(', ')}`;
  if (packets !== null) return null;
  if (calls?.hidden === true)
    return 'a process used io_uring, whose calls strace does not see, and packets were not looked at';
  return calls === null ? 'neither packets nor calls could be looked at' : null;
};

/** Without the server's own addresses, and without the control: its connection, and the conversations in which its name was asked for. */
const foreignOf = (packets: readonly Packet[], { names, control }: RunReport, { own }: Looking): Packet[] => {
  const asked = new Set(packets.filter(({ text }) => text.includes(`? ${control.name}.`)).map(conversationOf));
  return packets.filter((packet) => {
    const ends = [packet.from, packet.to];
    const isControl = ends.some(({ address }) => address === names[control.name]) || asked.has(conversationOf(packet));
    return !isControl && !ends.some((end) => isOwn(end, own));
  });
};

const isOwn = ({ address, port }: Endpoint, own: Looking['own']): boolean =>
  own.some((one) => one.address === address && one.port === port);

const destinationsOf = (report: RunReport, packets: readonly Packet[], { own }: Looking): Destination[] => {
  const found = new Map<string, Destination>();
  const add = (to: Endpoint, by: Destination['seenBy'][number], said: string | null = null): void => {
    const isHere = isLoopback(to.address) || ['0.0.0.0', '::'].includes(to.address) || isOwn(to, own);
    // The system's library "connects" to port 0 to learn which of its addresses it would use; nothing is sent.
    if (isHere || to.port === 0 || isNameServer(to.address, to.port ?? 0)) return;
    const key = written(to);
    const before = found.get(key);
    const name = Object.entries(report.names).find(([, address]) => address === to.address)?.[0] ?? null;
    const seenBy = [...new Set([...(before?.seenBy ?? []), by])];
    found.set(key, { address: to.address, port: to.port, name, seenBy, said: before?.said ?? said });
  };
  for (const { to } of firstOfEach(packets)) add(to, 'packets');
  for (const to of report.calls?.reached ?? []) add(to, 'calls');
  for (const { address, port, said } of report.caught) add({ address, port }, 'sink', firstLine(said));
  return [...found.values()];
};

/** What is no text (TLS, say) is not shown. */
const firstLine = (said: string): string | null => {
  const line = said.split(/\r?\n/)[0] ?? '';
  return /^[\x20-\x7e]{1,200}/.exec(line)?.[0] ?? null;
};

/** Devices are no files, and temporaries end as what they are renamed to. */
const shownFile = (path: string, folder: string): string[] => {
  if (/^\/(dev|proc|sys)\//.test(path) || isTemporary(posix.basename(path))) return [];
  const inside = posix.relative(folder, path);
  return [inside.startsWith('..') ? path : inside];
};

export interface Judgement {
  readonly verdict: Verdict;
  /** What speaks against a clean one; sentences without their first words: `it asked for the name x`. */
  readonly reasons: readonly string[];
}

/** `on` is null where there is nothing to say yes to; `counts`: whether a yes has anything counted. */
export const judge = (off: Seen, on: Seen | null, counts: boolean): Judgement => {
  const out = reachingOut(off);
  if (out.length > 0) return { verdict: 'reaches-out', reasons: out };
  const reasons = [
    ...(off.worthless === null ? [] : [`with consent off ${off.worthless}`]),
    ...(off.traffic.failed.length === 0 ? [] : [`requests got no answer: ${off.traffic.failed[0]}`]),
    ...(on === null ? [] : controlFailures(on, counts)),
  ];
  return { verdict: reasons.length === 0 ? 'clean' : 'unproven', reasons };
};

const reachingOut = ({ lookups, destinations, counted, files, sent, packetCount }: Seen): string[] => {
  const telemetry = [...new Set([...counted.map(({ path }) => path), ...files.filter(isOfTelemetry)])];
  const named = lookups.length > 0 || destinations.length > 0;
  return [
    ...lookups.map((name) => `the name ${name} was looked up`),
    ...destinations.map((one) => `${destinationText(one)} was reached for`),
    ...(packetCount > 0 && !named ? [`${packetCount} packets were no loopback's`] : []),
    ...(sent.requests > 0 ? [`${sent.requests} requests came to where reports would go`] : []),
    ...telemetry.map((path) => `${path} was written`),
  ];
};

export const destinationText = ({ address, port, name }: Destination): string =>
  name === null ? written({ address, port }) : `${name}${port === null ? '' : `:${port}`} (${address})`;

const controlFailures = (on: Seen, counts: boolean): string[] => [
  ...(on.worthless === null ? [] : [`with consent on ${on.worthless}`]),
  ...(counts && on.counted.length === 0 ? ['with consent on nothing was counted'] : []),
  ...(counts && on.sent.bytes === 0 ? ['with consent on nothing came to where reports go'] : []),
];
