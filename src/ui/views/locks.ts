/** What `products lock` wrote, or left alone, for people: a line a file, and below it every package that came, went or moved. */

import type { WrittenLock } from '../../release/lock-product.ts';
import { printable, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const lockLines = (locks: readonly WrittenLock[], path: string, look: Look): string[] => [
  ...locks.flatMap((lock) => linesOf(lock, look)),
  `  ${look.paint.faint(printable(lastLine(locks, path)))}`,
];

const lastLine = (locks: readonly WrittenLock[], path: string): string =>
  locks.every(({ kept }) => kept)
    ? `All is pinned. To resolve a release anew: assent products lock ${path} --release VERSION --refresh`
    : `Look at the difference, then: assent products check ${path}`;

const linesOf = (lock: WrittenLock, { paint, symbols, columns }: Look): string[] => {
  const { file, changed, kept, packages, added, removed, moved, ofTheHost } = lock;
  const detail = [
    ...added.map(({ name, version }) => `+ ${name} ${version}`),
    ...removed.map(({ name, version }) => `- ${name} ${version}`),
    ...moved.map(({ name, from, to }) => `~ ${name} ${from} -> ${to}`),
  ];
  const host = ofTheHost.length === 0 ? [] : wrap(printable(`left to the host: ${ofTheHost.join(', ')}`), columns - 6);
  return [
    `  ${paint.good(symbols.done)} ${paint.strong(file)}: ${packages === 0 ? '' : `${packages} packages, `}${changed ? 'written' : kept ? 'left alone' : 'unchanged'}`,
    ...detail.map((line) => `      ${printable(line)}`),
    ...host.map((line) => `      ${paint.faint(line)}`),
  ];
};
