/**
 * Who listens on a port: from the kernel's tables of sockets, and the descriptors of the processes that we may look into. Without
 * root that is our own processes only.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** `nginx (process 812)` for whoever listens on the port at that address or at all addresses; undefined where we may not see it. */
export const listenerOf = (address: string, port: number): string | undefined => {
  const inodes = new Set([...listening('/proc/net/tcp', address, port), ...listening('/proc/net/tcp6', address, port)]);
  const pid = inodes.size === 0 ? undefined : pids().find((candidate) => holdsAny(candidate, inodes));
  return pid === undefined ? undefined : `${commandOf(pid)} (process ${pid})`;
};

const listenState = '0A';

// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode: "0: 0100007F:0438 00000000:0000 0A ... 12345"
const listening = (table: string, address: string, port: number): string[] =>
  (quietly(() => readFileSync(table, 'latin1')) ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === listenState && isAt(local, address, port))
    .flatMap((fields) => fields[9] ?? []);

const isAt = (local: string, address: string, port: number): boolean => {
  const [where = '', number = ''] = local.split(':');
  if (Number.parseInt(number, 16) !== port) return false;
  // Whoever has all addresses has this one; and whoever asks for all is in conflict with each.
  const isAny = /^0+$/.test(where) || /^0*$/.test(address.replace(/[.:]/g, ''));
  return isAny || !/^[\d.]+$/.test(address) || where.endsWith(hexOf(address));
};

/** IPv4 as the kernel writes it: a number in the machine's byte order, which is little-endian on all that we run on. */
const hexOf = (address: string): string =>
  address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
    .join('');

const pids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

const holdsAny = (pid: string, inodes: ReadonlySet<string>): boolean => {
  const folder = `/proc/${pid}/fd`;
  return (quietly(() => readdirSync(folder)) ?? []).some((fd) => {
    const target = quietly(() => readlinkSync(`${folder}/${fd}`));
    return target !== undefined && inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
  });
};

/** The program's own name: of its command line, since its threads may have given it another (`MainThread`), and of an interpreter the script, too. */
const commandOf = (pid: string): string => {
  const words = (quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0').filter(Boolean);
  const [program, script] = words.map((word) => basename(word));
  if (program === undefined) return quietly(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) || 'unknown';
  const interprets = /^(node|python[\d.]*|perl|ruby|sh|bash)$/.test(program);
  return interprets && script !== undefined && !script.startsWith('-') ? `${program} ${script}` : program;
};

/** Processes end while we look, and most of them are not ours to look into. */
const quietly = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};
