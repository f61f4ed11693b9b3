/** What `products lock` wrote, or left alone, for people: a line a file, and below it every package that came, went or moved. */

import type { WrittenLock } from '../../release/lock-product.ts';
import { paragraph, printable, withCommand } from '../layout.ts';
import type { Look } from '../look.ts';

export const lockLines = (locks: readonly WrittenLock[], path: string, look: Look): string[] => [
  ...locks.flatMap((lock) => linesOf(lock, look)),
  ...lastLines(locks, printable(path), look.columns - 2).map((line) => `  ${look.paint.faint(line)}`),
];

const lastLines = (locks: readonly WrittenLock[], path: string, columns: number): string[] =>
  locks.every(({ kept }) => kept)
    ? withCommand(
        'All is pinned. To resolve a release anew:',
        `assent products lock ${path} --release VERSION --refresh`,
        columns,
      )
    : withCommand('Look at the difference, then:', `assent products check ${path}`, columns);

const linesOf = (lock: WrittenLock, { paint, symbols, columns }: Look): string[] => {
  const { file, changed, kept, packages, added, removed, moved, ofTheHost } = lock;
  const detail = [
    ...added.map(({ name, version }) => `+ ${name} ${version}`),
    ...removed.map(({ name, version }) => `- ${name} ${version}`),
    ...moved.map(({ name, from, to }) => `~ ${name} ${from} -> ${to}`),
  ];
  const host = ofTheHost.length === 0 ? '' : printable(`left to the host: ${ofTheHost.join(', ')}`);
  return [
    `  ${paint.good(symbols.done)} ${paint.strong(file)}: ${packages === 0 ? '' : `${packages} packages, `}${changed ? 'written' : kept ? 'left alone' : 'unchanged'}`,
    ...detail.map((line) => `      ${printable(line)}`),
    ...(host === '' ? [] : paragraph(host, { indent: 6, columns }).map(paint.faint)),
  ];
};
