/**
 * Reads the log's bytes: does every line fit the one before it, and what stands at last? Pure.
 *
 * Each line holds the sha256 of the bytes of the line before. Two things may stand between whole lines and are spoken for by a
 * `repair` line after them: lines torn by a crash (it names their digests), and a log that was damaged (it names the digest
 * of everything before; whatever was decided up to there is over). Torn lines at the very end simply wait for their repair.
 */

import { sha256 } from './digests.ts';
import { type LogLine, parseLine, wasWithdrawal } from './log-lines.ts';
import type { LogView, Standing } from './resolver.ts';

/** Stands for the line before the first. */
export const noLine = '0'.repeat(64);

export interface NumberedLine {
  readonly n: number;
  readonly hash: string;
  /** Undefined for a torn or damaged line. */
  readonly line: LogLine | undefined;
  readonly text: string;
}

export interface LogReading extends LogView {
  readonly lines: readonly NumberedLine[];
  /** Digest of the last line, torn or not. */
  readonly head: string;
  /** The torn lines at the end that no repair speaks for yet. */
  readonly torn: readonly string[];
  /** The first line that does not fit and that no repair speaks for. */
  readonly fault: { readonly n: number; readonly message: string } | null;
  /** Digest of all bytes, and where they end without a newline. */
  readonly digest: string;
}

/** Everything there is to know of these bytes. Never throws. */
export const readLog = (bytes: Uint8Array): LogReading => {
  const raw = splitLines(bytes);
  const lines = raw.map(({ content }, index): NumberedLine => {
    const text = Buffer.from(content).toString('utf8');
    return { n: index + 1, hash: sha256(content), line: parseLine(text), text };
  });
  const walk = lines.reduce((state, line, index) => step(state, line, bytes.subarray(0, raw[index]?.start)), start);
  return {
    lines,
    length: lines.length,
    head: walk.head,
    whole: walk.fault === null,
    fault: walk.fault,
    generation: walk.generation,
    standing: walk.standing,
    torn: walk.torn,
    tornNo: walk.tornNo,
    digest: sha256(bytes),
  };
};

/** What stands after the line, where it decides anything. A carried decision keeps the time at which it was said. */
export const standingOf = ({ n, hash, line }: NumberedLine): Standing | null => {
  if (line === undefined || line.kind === 'question' || line.kind === 'repair') return null;
  const base = { n, hash, generation: line.generation, noticeId: line.noticeId, at: line.at };
  const nobody = { ...base, state: 'not-asked', reason: 'not-asked', by: null } as const;
  if (line.kind === 'generation') return nobody;
  if (line.kind === 'withdrawal') return { ...nobody, state: 'withdrawn', by: line.by, at: line.saidAt ?? line.at };
  if (line.kind === 'void') {
    return { ...base, state: line.state, reason: line.reason, by: line.by, at: line.saidAt ?? line.at };
  }
  if (line.say === 'none') return { ...nobody, reason: line.reason };
  return { ...nobody, state: line.say === 'yes' ? 'accepted' : 'declined', by: line.by };
};

interface Walk {
  readonly head: string;
  readonly torn: readonly string[];
  readonly tornNo: boolean;
  readonly fault: LogReading['fault'];
  readonly generation: LogView['generation'];
  readonly standing: Standing | null;
}

const start: Walk = { head: noLine, torn: [], tornNo: false, fault: null, generation: null, standing: null };

const step = (walk: Walk, at: NumberedLine, before: Uint8Array): Walk => {
  const { line } = at;
  if (line === undefined) {
    return { ...walk, head: at.hash, torn: [...walk.torn, at.hash], tornNo: walk.tornNo || wasWithdrawal(at.text) };
  }
  if (line.kind === 'repair' && 'broken' in line && line.broken === sha256(before)) {
    return { ...start, head: at.hash };
  }
  const fault = walk.fault ?? faultOf(walk, at, line);
  const next = { ...walk, head: at.hash, torn: [], fault };
  if (line.kind === 'generation') next.generation = { generation: line.generation, key: line.key };
  const standing = standingOf(at);
  return standing === null ? next : { ...next, standing, tornNo: false };
};

const faultOf = (walk: Walk, { n }: NumberedLine, line: LogLine): LogReading['fault'] => {
  if (line.n !== n) return { n, message: `line ${n} calls itself line ${line.n}: a line is missing or was added` };
  if (line.prev !== walk.head)
    return { n, message: `line ${n} does not fit the line before it: one of them was altered` };
  if (line.kind !== 'repair') {
    return walk.torn.length === 0 ? null : { n, message: `line ${n - 1} is no line of this log` };
  }
  if ('broken' in line) return { n, message: `line ${n} speaks for a log that looked otherwise` };
  const same = line.torn.length === walk.torn.length && line.torn.every((hash, index) => hash === walk.torn[index]);
  return same ? null : { n, message: `line ${n} speaks for torn lines that are not there` };
};

interface RawLine {
  readonly start: number;
  readonly content: Uint8Array;
}

const splitLines = (bytes: Uint8Array): RawLine[] => {
  const lines: RawLine[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline === -1 ? bytes.length : newline;
    lines.push({ start: at, content: bytes.subarray(at, end) });
    at = end + 1;
  }
  return lines;
};
