/**
 * Suppression: from a counter's atoms to the numbers that may be written. Pure.
 *
 * Published are a total, a number for each family of browsers, and one for each hour. No such number, and none that adds or subtracts them (each
 * once), may have 1 to k-1 clients behind it. Seen as a graph that is one rule. Families and hours are nodes; each atom is an edge between its
 * family and its hour. What is not published for itself lies in a node for the rest of its side; without a total these two rests are one node.
 * A sum with coefficients -1, 0, 1 gives each node a potential, and an atom has weight in the sum exactly where its two ends differ.
 * So: **each way to cut the nodes in two has no atom across, or atoms with k clients at least** (cuts.ts looks for one that has not).
 *
 * While there is such a cut, the smallest number that causes it goes; a total goes last. In the end each number that went is tried once more, the largest
 * first: what fits again stays. Numbers of other counters, days and parts are about other requests, so what adds them up keeps the rule.
 */

import type { Browser, PartCounter } from '../part.ts';
import { type Budget, type Cut, distinct, type Edge, findCut } from './cuts.ts';
import type { Atom } from './tally.ts';

export interface Promised {
  /** Number of clients that have to stand behind a number. */
  readonly smallestGroup: number;
  readonly dimensions: readonly string[];
}

/** What may be written of this counter; undefined where nothing may. */
export const suppress = (name: string, atoms: readonly Atom[], promised: Promised): PartCounter | undefined => {
  const all = numbersOf(atoms, promised.dimensions);
  const kept = whatHolds(all, atoms, promised.smallestGroup);
  if (kept.size === 0) return undefined;
  const named = (key: string, from: readonly string[]): Record<string, number> =>
    Object.fromEntries(from.filter((one) => kept.has(one)).map((one) => [one.slice(key.length), all.get(one) ?? 0]));
  const numbers = [...all.keys()].sort();
  return {
    name,
    total: kept.has(total) ? (all.get(total) ?? 0) : null,
    browser: named(
      browserKey,
      numbers.filter((one) => one.startsWith(browserKey)),
    ) as Partial<Record<Browser, number>>,
    hour: named(
      hourKey,
      numbers.filter((one) => one.startsWith(hourKey)),
    ),
  };
};

const total = 'total';
const browserKey = 'browser ';
const hourKey = 'hour ';
const stepsOfCounter = 200_000;

const browserOf = (atom: Atom): string => `${browserKey}${atom.browser}`;
const hourOf = (atom: Atom): string => `${hourKey}${String(atom.hour).padStart(2, '0')}`;

/** All numbers that could be published, by their names. */
const numbersOf = (atoms: readonly Atom[], dimensions: readonly string[]): ReadonlyMap<string, number> => {
  const numbers = new Map<string, number>();
  const add = (name: string, count: number) => numbers.set(name, (numbers.get(name) ?? 0) + count);
  for (const atom of atoms) {
    add(total, atom.count);
    if (dimensions.includes('browser')) add(browserOf(atom), atom.count);
    if (dimensions.includes('hour')) add(hourOf(atom), atom.count);
  }
  return numbers;
};

const whatHolds = (numbers: ReadonlyMap<string, number>, atoms: readonly Atom[], k: number): ReadonlySet<string> => {
  if (distinct(atoms.map(({ clients }) => clients)).size < k) return new Set();
  const budget: Budget = { steps: stepsOfCounter };
  const kept = new Set(numbers.keys());
  const size = (name: string): number => (name === total ? Number.POSITIVE_INFINITY : (numbers.get(name) ?? 0));
  const bySize = (one: string, other: string): number => size(one) - size(other) || (one < other ? -1 : 1);
  const dropped: string[] = [];
  for (let cut = cutIn(kept, atoms, k, budget); cut !== undefined; cut = cutIn(kept, atoms, k, budget)) {
    const smallest = causesOf(cut, kept).sort(bySize)[0];
    if (smallest === undefined) return new Set();
    kept.delete(smallest);
    dropped.push(smallest);
  }
  for (const name of dropped.sort(bySize).reverse()) {
    kept.add(name);
    if (cutIn(kept, atoms, k, budget) !== undefined) kept.delete(name);
  }
  return kept;
};

const cutIn = (kept: ReadonlySet<string>, atoms: readonly Atom[], k: number, budget: Budget): Cut => {
  const edges = atoms.map((atom): Edge => {
    const from = kept.has(browserOf(atom)) ? browserOf(atom) : restOf(browserKey, kept);
    const to = kept.has(hourOf(atom)) ? hourOf(atom) : restOf(hourKey, kept);
    return { from, to, clients: atom.clients };
  });
  return findCut(edges, k, budget);
};

const restOf = (key: string, kept: ReadonlySet<string>): string => (kept.has(total) ? `rest of ${key}` : 'rest');

/** The numbers whose going would close the cut: those that it parts from the rest of their side. If there are none, it is the total's. */
const causesOf = (cut: ReadonlySet<string> | 'unknown', kept: ReadonlySet<string>): string[] => {
  const parted = [...kept].filter((name) => {
    if (name === total) return false;
    const key = name.startsWith(browserKey) ? browserKey : hourKey;
    return cut === 'unknown' || cut.has(name) !== cut.has(restOf(key, kept));
  });
  return parted.length > 0 ? parted : [...kept].filter((name) => name === total);
};
