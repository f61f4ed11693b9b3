/**
 * A day's tally of one process, in memory: for each counter the atoms, browser by hour, each with how often it was seen and with the first k
 * clients that were. More are never needed: k are enough to say that there are k (suppress.ts).
 *
 * It is the only place that has browser and hour together, and it is never written. Its size is bounded by counters, browsers, hours and k, not by traffic.
 */

import { type Browser, browsers } from '../part.ts';

export interface Atom {
  readonly browser: Browser;
  /** 0 to 23, UTC. */
  readonly hour: number;
  readonly count: number;
  /** All distinct clients, or the first k of them. */
  readonly clients: ReadonlySet<number>;
}

export interface Tally {
  /** `client` is asked only while its answer matters: an atom with k clients knows enough. */
  add(counter: number, browser: Browser, hour: number, client: () => number): void;
  /** The atoms of a counter, by its index. */
  atomsOf(counter: number): readonly Atom[];
}

interface GrowingAtom extends Atom {
  count: number;
  readonly clients: Set<number>;
}

export const makeTally = (smallestGroup: number): Tally => {
  const counters = new Map<number, Map<number, GrowingAtom>>();
  return {
    add: (counter, browser, hour, client) => {
      const atom = atomOf(mapOf(counters, counter), browser, hour);
      atom.count += 1;
      if (atom.clients.size < smallestGroup) atom.clients.add(client());
    },
    atomsOf: (counter) => [...(counters.get(counter)?.values() ?? [])],
  };
};

const mapOf = (counters: Map<number, Map<number, GrowingAtom>>, counter: number): Map<number, GrowingAtom> => {
  const found = counters.get(counter);
  if (found !== undefined) return found;
  const made = new Map<number, GrowingAtom>();
  counters.set(counter, made);
  return made;
};

const atomOf = (atoms: Map<number, GrowingAtom>, browser: Browser, hour: number): GrowingAtom => {
  const key = browsers.indexOf(browser) * 24 + hour;
  const found = atoms.get(key);
  if (found !== undefined) return found;
  const made = { browser, hour, count: 0, clients: new Set<number>() };
  atoms.set(key, made);
  return made;
};
