/**
 * Which counter a request feeds: the routes of a notice, compiled to one tree of path segments a method.
 *
 * What is written out beats `:name`, which stands for one segment, and that beats a `*` at the end, which stands for all the rest (one segment
 * at least). So `DELETE /email/all` is no `DELETE /email/:id`. The first of two counters with the same route has it.
 *
 * Paths are compared as they were sent, since that is how servers route: in their case, percent signs as they are (`%2F` splits
 * nothing). One slash at the end makes no difference. An empty segment (`//`) fits neither text nor `:name`, so it is nobody's. What does not begin with
 * a slash is no path.
 */

export interface RoutedCounter {
  readonly routes: readonly string[];
}

/** The index of the counter that this request feeds. */
export type Match = (method: string, url: string) => number | undefined;

export const compileRoutes = (counters: readonly RoutedCounter[]): Match => {
  const methods = new Map<string, Node>();
  counters.forEach(({ routes }, index) => {
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ');
      const root = methods.get(method) ?? newNode();
      methods.set(method, root);
      insert(root, segmentsOf(path), index);
    }
  });
  return (method, url) => {
    const root = methods.get(method);
    if (root === undefined || url.charCodeAt(0) !== slash) return undefined;
    return find(root, url, 1, endOf(url));
  };
};

interface Node {
  readonly texts: Map<string, Node>;
  /** What follows `:name`, or a `*` that is not the last. */
  any: Node | undefined;
  /** The counter of a route that ends here. */
  ends: number | undefined;
  /** The counter of a `*` that takes all the rest. */
  rest: number | undefined;
}

const slash = 0x2f;
const newNode = (): Node => ({ texts: new Map(), any: undefined, ends: undefined, rest: undefined });

const insert = (node: Node, segments: readonly string[], index: number): void => {
  const [first, ...others] = segments;
  if (first === undefined) node.ends ??= index;
  else if (first === '*' && others.length === 0) node.rest ??= index;
  else insert(childOf(node, first), others, index);
};

const childOf = (node: Node, segment: string): Node => {
  if (segment === '*' || segment.startsWith(':')) {
    node.any ??= newNode();
    return node.any;
  }
  const child = node.texts.get(segment) ?? newNode();
  node.texts.set(segment, child);
  return child;
};

/** Walks along the path without taking it apart: `from` is where the next segment begins. */
const find = (node: Node, url: string, from: number, end: number): number | undefined => {
  if (from > end) return node.ends;
  const next = url.indexOf('/', from);
  const stop = next === -1 || next > end ? end : next;
  const child = node.texts.get(url.slice(from, stop));
  const exact = child && find(child, url, stop + 1, end);
  if (exact !== undefined) return exact;
  if (stop === from) return undefined;
  return (node.any && find(node.any, url, stop + 1, end)) ?? node.rest;
};

/** Where the path ends: before its query, and before one slash at its end. */
const endOf = (url: string): number => {
  const query = url.indexOf('?');
  const fragment = url.indexOf('#');
  let end = query === -1 ? url.length : query;
  if (fragment !== -1 && fragment < end) end = fragment;
  return url.charCodeAt(end - 1) === slash ? end - 1 : end;
};

/** None for `/` itself. */
const segmentsOf = (path: string): string[] => {
  const inner = path.slice(1, endOf(path));
  return inner === '' && path.length <= 1 ? [] : inner.split('/');
};
