/** What tcpdump has printed (-n -tt): packets, and whom they were meant for. Pure. */

export interface Packet {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly protocol: string;
  /** The rest of tcpdump's line. */
  readonly text: string;
}

export interface Endpoint {
  readonly address: string;
  /** Null for what has no ports. */
  readonly port: number | null;
}

export const parsePackets = (text: string): Packet[] =>
  text.split('\n').flatMap((line) => {
    const [, family = '', from, to, rest = ''] = /^\d+\.\d+ (IP6?) (\S+) > (\S+): (.*)$/.exec(line) ?? [];
    if (from === undefined || to === undefined) return [];
    const protocol = rest.startsWith('Flags [') ? 'tcp' : rest.startsWith('ICMP') ? 'icmp' : 'udp';
    return [{ from: endpoint(from, family), to: endpoint(to, family), protocol, text: rest }];
  });

/** The packets that began something: the first between two ends, and no message of the kernel about one that failed. */
export const firstOfEach = (packets: readonly Packet[]): Packet[] => {
  const seen = new Set<string>();
  return packets.filter((packet) => {
    const key = conversationOf(packet);
    if (packet.protocol === 'icmp' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};

/** The same for both directions. */
export const conversationOf = ({ protocol, from, to }: Packet): string =>
  [protocol, ...[written(from), written(to)].sort()].join(' ');

export const written = ({ address, port }: Endpoint): string =>
  port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** IPv4 has four numbers and perhaps a port behind them; of IPv6 the port follows the only dot. */
const endpoint = (text: string, family: string): Endpoint => {
  const parts = text.split('.');
  const hasPort = family === 'IP6' ? parts.length === 2 : parts.length === 5;
  const address = hasPort ? parts.slice(0, -1).join('.') : text;
  return { address, port: hasPort ? Number(parts.at(-1)) : null };
};

/** How many packets the kernel did not hand over; 0 where tcpdump says so, null where it says nothing. */
export const droppedPackets = (said: string): number | null => {
  const found = /^(\d+) packets? dropped by kernel/m.exec(said)?.[1];
  return found === undefined ? null : Number(found);
};
