/**
 * Looks for a way to cut a graph in two with too few clients across it: at least one edge, and fewer than k distinct clients on all of them together.
 * Pure; suppress.ts says what it is for.
 *
 * Edges with k clients of their own can't be part of such a cut, so their ends are made one node, again and again. What is left is
 * mostly a handful of nodes. Single nodes are looked at first, then all cuts are tried, each given up as soon as it has k clients. Up to
 * 15 nodes that always comes to an end within the bound of steps; where it does not, the answer is `unknown`, and whoever asks drops more.
 */

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly clients: ReadonlySet<number>;
}

/** The names of the nodes on one side of a cut that has too few clients; undefined where there is none. */
export type Cut = ReadonlySet<string> | 'unknown' | undefined;

/** What the searches of one counter may cost together. */
export interface Budget {
  steps: number;
}

const stepsOfSearch = 50_000;

export const findCut = (edges: readonly Edge[], k: number, budget: Budget): Cut => {
  const nodes = contract(edges, k);
  for (const node of nodes) {
    if (node.edges.size > 0 && distinct([...node.edges.values()]).size < k) return new Set(node.names);
  }
  let isUnknown = false;
  for (const component of componentsOf(nodes)) {
    const cut = cutOf(component, k, budget);
    if (cut === 'unknown') isUnknown = true;
    else if (cut !== undefined) return new Set(cut.flatMap(({ names }) => names));
  }
  return isUnknown ? 'unknown' : undefined;
};

interface Node {
  /** What was made one. */
  readonly names: string[];
  /** All clients between this node and another. */
  readonly edges: Map<Node, Set<number>>;
}

const contract = (edges: readonly Edge[], k: number): readonly Node[] => {
  const nodes = new Map<string, Node>();
  const nodeOf = (name: string): Node => {
    const node = nodes.get(name) ?? { names: [name], edges: new Map() };
    nodes.set(name, node);
    return node;
  };
  for (const { from, to, clients } of edges) if (from !== to) join(nodeOf(from), nodeOf(to), clients);
  const left = new Set(nodes.values());
  for (let pair = heavyPair(left, k); pair !== undefined; pair = heavyPair(left, k)) {
    const [kept, gone] = pair;
    left.delete(gone);
    kept.names.push(...gone.names);
    kept.edges.delete(gone);
    for (const [other, clients] of gone.edges) {
      other.edges.delete(gone);
      if (other !== kept) join(kept, other, clients);
    }
  }
  return [...left];
};

const join = (one: Node, other: Node, clients: ReadonlySet<number>): void => {
  const all = one.edges.get(other) ?? new Set();
  for (const client of clients) all.add(client);
  one.edges.set(other, all);
  other.edges.set(one, all);
};

const heavyPair = (nodes: ReadonlySet<Node>, k: number): readonly [Node, Node] | undefined => {
  for (const node of nodes) {
    for (const [other, clients] of node.edges) if (clients.size >= k) return [node, other];
  }
  return undefined;
};

/** Each in an order in which every node but the first has an edge to one before it, the closest first. */
const componentsOf = (nodes: readonly Node[]): readonly (readonly Node[])[] => {
  const waiting = new Set(nodes);
  const components: Node[][] = [];
  for (const first of nodes) {
    const component: Node[] = [];
    for (
      let next: Node | undefined = waiting.has(first) ? first : undefined;
      next;
      next = closest(waiting, component)
    ) {
      waiting.delete(next);
      component.push(next);
    }
    if (component.length > 1) components.push(component);
  }
  return components;
};

const closest = (waiting: ReadonlySet<Node>, component: readonly Node[]): Node | undefined => {
  let best: Node | undefined;
  let most = 0;
  for (const node of waiting) {
    const clients = component.reduce((all, other) => all + (node.edges.get(other)?.size ?? 0), 0);
    if (clients > most) [best, most] = [node, clients];
  }
  return best;
};

/** Tries all sides for all nodes, the first on its own side throughout, and counts the clients across as it goes. */
const cutOf = (nodes: readonly Node[], k: number, budget: Budget): readonly Node[] | 'unknown' | undefined => {
  const across = new Map<number, number>();
  const isOut: boolean[] = [];
  let steps = Math.min(stepsOfSearch, budget.steps);
  const earlier = nodes.map((node, at) => nodes.slice(0, at).map((other) => node.edges.get(other)));
  const crossing = (at: number, out: boolean): ReadonlySet<number>[] =>
    (earlier[at] ?? []).filter((clients, other) => clients !== undefined && isOut[other] !== out) as Set<number>[];
  const place = (at: number): boolean => {
    if (at === nodes.length) return isOut.includes(true);
    for (const out of at === 0 ? [false] : [false, true]) {
      if (steps <= 0) return false;
      steps -= 1;
      budget.steps -= 1;
      const added = crossing(at, out);
      addTo(across, added);
      isOut.push(out);
      if (across.size < k && place(at + 1)) return true;
      isOut.pop();
      takeFrom(across, added);
    }
    return false;
  };
  if (place(0)) return nodes.filter((_, at) => isOut[at]);
  return steps <= 0 ? 'unknown' : undefined;
};

const addTo = (counts: Map<number, number>, sets: readonly ReadonlySet<number>[]): void => {
  for (const set of sets) for (const client of set) counts.set(client, (counts.get(client) ?? 0) + 1);
};

const takeFrom = (counts: Map<number, number>, sets: readonly ReadonlySet<number>[]): void => {
  for (const client of sets.flatMap((set) => [...set])) {
    const count = counts.get(client) ?? 0;
    if (count > 1) counts.set(client, count - 1);
    else counts.delete(client);
  }
};

/** All clients of these sets together. */
export const distinct = (sets: readonly ReadonlySet<number>[]): ReadonlySet<number> => {
  const all = new Set<number>();
  for (const set of sets) for (const client of set) all.add(client);
  return all;
};
