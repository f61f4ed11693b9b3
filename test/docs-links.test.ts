/**
 * The documents lead somewhere: relative links and their anchors, paths of the repository, and command lines. A command line is one that the
 * program's own table of commands has, with options that the command takes.
 */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { commands, groups } from '../src/cli/commands.ts';
import { commonFlags } from '../src/cli/flags.ts';
import { optionFor } from '../src/cli/options.ts';

const pages = globSync(['*.md', 'docs/**/*.md', 'products/*/README.md', 'bench/**/*.md']).sort();
const textOf = (page: string): string => readFileSync(page, 'utf8');

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));

test('links lead to files that are there, and to headings that they have', () => {
  const wrong = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : normalize(join(dirname(page), path));
        return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
      })
      .map((link) => `${page}: ${link}`),
  );
  expect(pages.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

const topFolders = ['src', 'test', 'docs', 'products', 'scripts', 'bin', 'bench', 'schema', '.ci'];

test('paths of the repository that are mentioned are there', () => {
  const wrong = pages.flatMap((page) =>
    [...textOf(page).matchAll(/`([\w.*{},/-]+)`/g)]
      .map(([, path = '']) => path)
      .filter((path) => topFolders.some((folder) => path.startsWith(`${folder}/`)))
      .filter((path) => !/\b(?:NAME|FILE)\b/.test(path) && globSync(path).length === 0)
      .map((path) => `${page}: ${path}`),
  );
  expect(wrong).toEqual([]);
});

interface Mention {
  readonly page: string;
  readonly line: string;
}

/** `assent ...` in code, inline or at the start of a line of a block; the screens of blocks quote such lines too. */
const mentions: Mention[] = pages.flatMap((page) => {
  const blocks = [...textOf(page).matchAll(/```[a-z]*\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) =>
    [...block.matchAll(/(?:^|\$ |exec |command: |\$\()(assent [^\n#]*)/gm)].map(([, line = '']) => line),
  );
  const inline = [
    ...textOf(page)
      .replace(/```[\s\S]*?```/g, '')
      .matchAll(/`(assent [^`\n]*)`/g),
  ].map(([, line = '']) => line);
  return [...lines, ...inline].map((line) => ({ page, line }));
});

/** What is promised and not built yet stands in the contract, in rows that say so; src/cli tests hold those. */
const isPlanned = ({ page, line }: Mention): boolean =>
  page === 'docs/contract.md' && /planned|completion|bundle|support/.test(line);

/** `assent start|stop NAME` stands for both. A summary behind two spaces is no part of a command line. */
const commandLinesOf = (line: string): string[][] => {
  const words = (line.split(/ {2,}/)[0] ?? '').split(' ').slice(1).filter(Boolean);
  const at = words.findIndex((word) => /^\[?[a-z]+(\|[a-z]+)+\]?$/.test(word));
  if (at < 0 || at > 1) return [words];
  return (words[at] ?? '')
    .replace(/[[\]]/g, '')
    .split('|')
    .map((one) => words.with(at, one));
};

const commandOf = (words: readonly string[]) => {
  const two = commands.find((command) => command.words === words.slice(0, 2).join(' '));
  const one = commands.find((command) => command.words === words[0]);
  return two ?? one ?? commands.find((command) => command.isDefault && command.words.startsWith(`${words[0]} `));
};

test('commands that are mentioned are commands', () => {
  const wrong = mentions
    .filter((mention) => !isPlanned(mention))
    .flatMap(({ page, line }) =>
      commandLinesOf(line)
        .filter(([first = '']) => !first.startsWith('-') && /^[a-z]+$/.test(first))
        .filter((words) => commandOf(words) === undefined && !(words[0] !== undefined && words[0] in groups))
        .map(() => `${page}: ${line}`),
    );
  expect(mentions.length).toBeGreaterThan(60);
  expect(wrong).toEqual([]);
});

test('options that are mentioned with a command are options of it', () => {
  const always = ['--help', '--version'];
  const wrong = mentions
    .filter((mention) => !isPlanned(mention))
    .flatMap(({ page, line }) =>
      commandLinesOf(line).flatMap((words) => {
        const command = commandOf(words);
        if (command === undefined) return [];
        const known = [...commonFlags, ...command.flags].map(optionFor).flatMap(({ long, short }) => [long, short]);
        return words
          .map((word) => /^\[?(--?[a-z][a-z-]*)/.exec(word)?.[1])
          .filter((option) => option !== undefined && !known.includes(option) && !always.includes(option))
          .map((option) => `${page}: ${line} (${option})`);
      }),
    );
  expect(wrong).toEqual([]);
});

test('options that are mentioned alone are options of some command', () => {
  const known = new Set(
    [...commonFlags, ...commands.flatMap(({ flags }) => flags)].map(optionFor).map(({ long }) => long),
  );
  const wrong = ['README.md', 'SECURITY.md', 'docs/operations.md', 'docs/errors.md', 'docs/consent.md'].flatMap(
    (page) =>
      [...textOf(page).matchAll(/`(--[a-z][a-z-]*)/g)]
        .map(([, option = '']) => option)
        .filter((option) => !known.has(option))
        .map((option) => `${page}: ${option}`),
  );
  expect(wrong).toEqual([]);
});
