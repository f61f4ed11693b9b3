/** Turns what zod says about a document into faults in people's words: what is wrong, and what to do, each at its own path. */

import type { z } from 'zod';
import type { Path, RawFault } from './located-yaml.ts';
import { shown, suggestion } from './wording.ts';

type Issue = z.core.$ZodIssue;

/** One fault or more for each issue. `root` is prefixed to every path. */
export const faultsOf = (error: z.ZodError, value: unknown, root: Path = []): RawFault[] =>
  error.issues.flatMap((issue) => faultsOfIssue(issue, value, root));

const faultsOfIssue = (issue: Issue, value: unknown, root: Path): RawFault[] => {
  const path = [...root, ...(issue.path as (string | number)[])];
  const here = valueAt(value, issue.path as Path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(path, key, issue.message.split(' ')));
  if (issue.code === 'invalid_key') return [{ path, key: true, ...split(issue.issues[0]?.message ?? '') }];
  if (issue.code === 'invalid_union') return unionFaults(issue, here, path);
  if (here === undefined && issue.code !== 'custom') return [missing(path)];
  return [{ path, ...described(issue, here) }];
};

const described = (issue: Issue, here: unknown): { what: string; remedy: string } => {
  if (issue.message.includes(' — ')) return split(issue.message);
  if (issue.code === 'invalid_type') return wrongType(issue.expected, here);
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    return { what: `${shown(here)} is not allowed`, remedy: suggestion(String(here), allowed, 'one of') };
  }
  if (issue.code === 'too_big') return { what: `is too long or too large`, remedy: `${issue.maximum} at most` };
  if (issue.code === 'too_small') return { what: `is too short or too small`, remedy: `${issue.minimum} at least` };
  return { what: `${shown(here)} does not fit (${issue.message})`, remedy: 'see docs/products.md' };
};

const wrongType = (expected: string, here: unknown): { what: string; remedy: string } => {
  const kind = kinds[expected] ?? expected;
  const is =
    here === null
      ? 'has no value'
      : Array.isArray(here)
        ? 'is a list'
        : typeof here === 'object'
          ? 'is a map'
          : `${shown(here)} is ${kinds[typeof here] ?? typeof here}`;
  const isScalar = typeof here === 'number' || typeof here === 'boolean';
  if (expected === 'string' && isScalar)
    return { what: `${is} in YAML`, remedy: `put it in quotes: "${String(here)}"` };
  return { what: is, remedy: `write ${kind} here` };
};

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list ([a, b], or lines that begin with "- ")',
  object: 'a map (key: value)',
  record: 'a map (key: value)',
};

const unionFaults = (issue: Extract<Issue, { code: 'invalid_union' }>, here: unknown, path: Path): RawFault[] => {
  if (issue.message.includes(' — ')) return [{ path, ...split(issue.message) }];
  const { discriminator, options } = issue as { discriminator?: string; options?: unknown[] };
  if (discriminator !== undefined) {
    if (here === undefined) return [missing(path)];
    const allowed = (options ?? []).map(String);
    return [{ path, what: `${shown(here)} is not allowed`, remedy: suggestion(String(here), allowed, 'one of') }];
  }
  if (here === undefined) return [missing(path)];
  const branches = issue.errors.filter((issues) =>
    issues.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
  );
  const branch = branches[0];
  if (branch !== undefined) return branch.flatMap((inner) => faultsOfIssue(inner, here, path));
  const words = issue.errors
    .flat()
    .flatMap((inner) =>
      inner.code === 'invalid_value'
        ? inner.values.map((one) => `"${String(one)}"`)
        : inner.code === 'invalid_type'
          ? [kinds[inner.expected] ?? inner.expected]
          : [],
    );
  return [{ path, what: `${shown(here)} does not fit`, remedy: `write ${words.join(' or ')}` }];
};

const missing = (path: Path): RawFault => {
  const last = path.at(-1);
  return { path, what: 'is missing', remedy: typeof last === 'string' ? `add "${last}: ..." here` : 'write it here' };
};

const unknownKey = (path: Path, key: string, known: readonly string[]): RawFault => ({
  path: [...path, key],
  key: true,
  what: 'is an unknown key',
  remedy: suggestion(key, known, 'known here'),
});

const split = (message: string): { what: string; remedy: string } => {
  const [what, remedy] = message.split(' — ');
  return { what: what ?? message, remedy: remedy ?? 'see docs/products.md' };
};

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[part] : undefined),
    value,
  );
