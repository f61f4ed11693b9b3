/**
 * YAML with positions: whatever is wrong in a file that a person wrote is named by file, line and column.
 *
 * Only plain data is read: no aliases (they hide where a value comes from, and make bombs), no tags, no duplicate keys,
 * one document, a bounded size. All faults of a file are collected and reported at once.
 */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { Failure, type FailureCode } from '../errors.ts';
import { printable } from './wording.ts';

/** One thing that is wrong. `where` is the key's path in people's words: `settings.webPort.default`. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

/** A fault that is not located yet: its path leads from the root of the document. `key` points at the key itself. */
export interface RawFault {
  readonly path: Path;
  readonly what: string;
  readonly remedy: string;
  readonly key?: boolean;
}

export type Path = readonly (string | number)[];

export interface LocatedYaml {
  /** Plain data, or undefined where the text is no YAML at all. */
  readonly value: unknown;
  readonly faults: readonly Fault[];
  locate(fault: RawFault): Fault;
  /** A scalar as it was written, before YAML made a number of it: `22.10` stays `22.10`. */
  source(path: Path): string | undefined;
}

/** Parses one YAML document of at most `limit` characters. Never throws: what is wrong is in `faults`. */
export const readYaml = (text: string, limit: number): LocatedYaml => {
  if (text.length > limit) {
    const what = `is ${text.length} characters long`;
    return broken({ line: 1, column: 1, where: 'file', what, remedy: `at most ${limit} are read: make it smaller` });
  }
  const lines = new LineCounter();
  const document = parsed(text, lines);
  if (document === undefined) {
    return broken({ line: 1, column: 1, where: 'file', what: 'is nested too deeply', remedy: 'write it flatter' });
  }
  const faults = [...syntaxFaults(document, lines), ...refusedNodes(document, lines)];
  return {
    value: faults.length === 0 ? document.toJS({ maxAliasCount: 0 }) : undefined,
    faults,
    locate: (fault) => located(document, lines, fault),
    source: (path) => sourceOf(nodeAt(document, path)),
  };
};

/** The failure that lists every fault, a line each: `file:line:column: where: what — remedy`. */
export const faultsFailure = (code: FailureCode, file: string, faults: readonly Fault[], advice: string): Failure => {
  const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new Failure(
    code,
    [`${file} has ${count}:`, ...sorted.map((fault) => faultLine(file, fault))].join('\n'),
    advice,
  );
};

/** Without a remedy (for those who show it apart) the line ends with what is wrong. */
export const faultLine = (file: string, { line, column, where, what, remedy }: Fault): string =>
  printable(`${file}:${line}:${column}: ${where}: ${what}${remedy === '' ? '' : ` — ${remedy}`}`);

const parsed = (text: string, lineCounter: LineCounter): Document.Parsed | undefined => {
  try {
    return parseDocument(text, {
      lineCounter,
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
      version: '1.2',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};

const broken = (fault: Fault): LocatedYaml => ({
  value: undefined,
  faults: [fault],
  locate: () => fault,
  source: () => undefined,
});

const syntaxFaults = (document: Document.Parsed, lines: LineCounter): Fault[] => {
  const faults = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const what = syntaxWords[error.code] ?? error.message.split('\n')[0] ?? '';
    return {
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      where: 'YAML',
      what,
      remedy: syntaxRemedies[error.code] ?? 'correct the YAML here',
    };
  });
  const empty = faults.length === 0 && !isMap(document.contents);
  const remedy = 'write keys with values: "name: ..."';
  return empty ? [{ line: 1, column: 1, where: 'file', what: 'is not a YAML map', remedy }] : faults;
};

const syntaxWords: Record<string, string> = { MULTIPLE_DOCS: 'a second document begins here' };

const syntaxRemedies: Record<string, string> = {
  DUPLICATE_KEY: 'a key may stand once: remove or rename one of the two',
  TAB_AS_INDENT: 'indent by spaces',
  BAD_INDENT: 'line the keys up: children deeper than their parent, all by the same number of spaces',
  MULTIPLE_DOCS: 'keep one document: remove the line "---" and what follows',
  NON_STRING_KEY: 'put the key in quotes',
  TAG_RESOLVE_FAILED: 'remove the tag (the word that begins with "!")',
  MISSING_CHAR: 'close what was opened (quote, bracket or brace)',
  BLOCK_AS_IMPLICIT_KEY: 'put a text that has ": " in it in quotes, or indent the lines below their key',
};

const refusedNodes = (document: Document.Parsed, lines: LineCounter): Fault[] => {
  const faults: Fault[] = [];
  const refuse = (offset: number, what: string, remedy: string) => {
    const { line, col } = lines.linePos(offset);
    faults.push({ line, column: col, where: 'YAML', what, remedy });
  };
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__')
        refuse(key.range?.[0] ?? 0, '__proto__ is no key', 'choose another name');
    },
    Node: (_, node) => {
      const start = node.range?.[0] ?? 0;
      if (isAlias(node)) refuse(start, `*${node.source} is an alias`, 'write the value out: aliases are not read');
      else if (node.tag !== undefined && explicitTag(node.tag))
        refuse(start, `has the tag ${node.tag}`, 'remove the tag: only plain YAML is read');
    },
  });
  return faults;
};

/** Tags that plain YAML gives by itself are no tags that somebody wrote. */
const explicitTag = (tag: string): boolean => !/^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/.test(tag);

const located = (document: Document.Parsed, lines: LineCounter, fault: RawFault): Fault => {
  const offset = offsetOf(document, fault.path, fault.key === true);
  const { line, col } = lines.linePos(offset);
  const where = fault.path.length === 0 ? 'file' : pathText(fault.path);
  return { line: Math.max(line, 1), column: Math.max(col, 1), where, what: fault.what, remedy: fault.remedy };
};

/** `releases[0].service.command[1]` */
const pathText = (path: Path): string =>
  path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`)).join('');

/** Start of the value at the path, or of its key; of the nearest thing above where the path leads to nothing. */
const offsetOf = (document: Document.Parsed, path: Path, key: boolean): number => {
  const parent: unknown = nodeAt(document, path.slice(0, -1));
  const last = path.at(-1);
  if (last !== undefined && isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === last);
    const node = key || isNothing(pair?.value) ? pair?.key : pair?.value;
    if (isNode(node) && node.range) return node.range[0];
  }
  for (let length = path.length; length >= 0; length -= 1) {
    const node = nodeAt(document, path.slice(0, length));
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
};

/** A key without a value: the place to look at is the key. */
const isNothing = (node: unknown): boolean => node === null || (isScalar(node) && node.value === null && !node.source);

const nodeAt = (document: Document.Parsed, path: Path): unknown => {
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node))
      node = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))?.value;
    else if (isSeq(node)) node = node.items[Number(part)];
    else return undefined;
    if (isPair(node)) node = node.value;
  }
  return node;
};

const sourceOf = (node: unknown): string | undefined => {
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
};
