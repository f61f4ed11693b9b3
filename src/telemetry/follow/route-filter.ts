/**
 * Whether a path can feed a counter at all, told from its bytes before anything is made a text: most lines of a log are about styles, pictures
 * and scripts. Only the written-out beginnings of the routes are looked at, so a yes is a maybe and the real matching comes later; a no is certain.
 */

export type RouteFilter = (bytes: Uint8Array, method: string, from: number, to: number) => boolean;

export const makeRouteFilter = (counters: readonly { readonly routes: readonly string[] }[]): RouteFilter => {
  const methods = new Map<string, Node>();
  for (const route of counters.flatMap(({ routes }) => routes)) {
    const [method = '', path = ''] = route.split(' ');
    const root = methods.get(method) ?? newNode();
    methods.set(method, root);
    insert(root, path);
  }
  return (bytes, method, from, to) => {
    const root = methods.get(method);
    return root !== undefined && mayFit(root, bytes, from, to);
  };
};

interface Node {
  readonly next: Map<number, Node>;
  /** Anything may follow: a `:name` or a `*` begins here. */
  isOpen: boolean;
  /** A route ends here. */
  isEnd: boolean;
}

const newNode = (): Node => ({ next: new Map(), isOpen: false, isEnd: false });

/** One slash at the end makes no difference to a route, so it is left out on both sides. */
const insert = (root: Node, path: string): void => {
  let node = root;
  const literal = literalOf(path);
  for (const byte of Buffer.from(literal === path ? path.replace(/\/$/, '') : literal)) {
    const child = node.next.get(byte) ?? newNode();
    node.next.set(byte, child);
    node = child;
  }
  if (literal === path) node.isEnd = true;
  else node.isOpen = true;
};

const literalOf = (path: string): string => /^.*?\/(?=:|\*(?:\/|$))/.exec(path)?.[0] ?? path;

const mayFit = (root: Node, bytes: Uint8Array, from: number, to: number): boolean => {
  let node = root;
  for (let at = from; at < to; at += 1) {
    if (node.isOpen) return true;
    const byte = bytes[at] as number;
    // An escape may stand for anything.
    if (byte === 0x5c || byte > 0x7e) return true;
    if (byte === question || byte === hash || (byte === slash && isLast(bytes, at, to))) return node.isEnd;
    const child = node.next.get(byte);
    if (child === undefined) return false;
    node = child;
  }
  return node.isEnd || node.isOpen;
};

const [slash, question, hash] = [0x2f, 0x3f, 0x23];

const isLast = (bytes: Uint8Array, at: number, to: number): boolean =>
  at + 1 === to || bytes[at + 1] === question || bytes[at + 1] === hash;
