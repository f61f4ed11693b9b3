/**
 * docs/contract.md and the program are held against one another: commands, options, exit codes, outcomes. Rows marked `planned` must not
 * work yet.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commands, groups } from '../../src/cli/commands.ts';
import { commonFlags } from '../../src/cli/flags.ts';
import { optionFor } from '../../src/cli/options.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { exits } from '../../src/errors.ts';
import { outcomes } from '../../src/ui/result.ts';

const contract = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
const section = (title: string) => contract.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const shown = commands.filter((command) => command.hidden !== true);
const changes = ['install', 'reinstall', 'upgrade', 'rollback', 'uninstall'];

interface Written {
  readonly words: string;
  readonly planned: boolean;
}

/** `assent telemetry status|off [NAME]   text` -> `telemetry status`, `telemetry off`. */
const writtenCommands = (): Written[] => {
  const block = /```\n([\s\S]*?)```/.exec(section('Commands'))?.[1] ?? '';
  return block
    .trim()
    .split('\n')
    .flatMap((line) => {
      const planned = /\bplanned\b/.test(line);
      const [, first = '', second = ''] = /^assent (\S+) ?(\S*)/.exec(line) ?? [];
      const below = /^[a-z|]+$/.test(second) && !line.includes(`-o`) && first !== 'completion' ? second : '';
      const optional = /^\[([a-z|]+)\]/.exec(second)?.[1] ?? '';
      const seconds = (below || optional).split('|').filter(Boolean);
      return first
        .split('|')
        .flatMap((one) => (seconds.length === 0 ? [one] : seconds.map((two) => `${one} ${two}`)))
        .map((words) => ({ words, planned }));
    });
};

interface Row {
  readonly options: readonly string[];
  readonly where: string;
  readonly planned: boolean;
}

const writtenOptions = (): Row[] =>
  section('Commands')
    .split('\n')
    .filter((line) => line.startsWith('| `-'))
    .map((line) => {
      const [, names = '', where = '', text = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return {
        options: [...names.matchAll(/`(--?[a-z-]+)/g)].map((found) => found[1] ?? ''),
        where,
        planned: text.startsWith('planned'),
      };
    });

const commandsOf = (where: string): string[] =>
  where
    .split(', ')
    .flatMap((one) => (one === 'all' ? shown.map(({ words }) => words) : one === 'changes' ? changes : [one]));

describe('commands', () => {
  it('are those of the contract', () => {
    const built = writtenCommands().filter(({ planned }) => !planned);
    expect(built.map(({ words }) => words).sort()).toEqual(shown.map(({ words }) => words).sort());
  });

  it('that are planned are not there', () => {
    const planned = writtenCommands().filter((command) => command.planned);
    expect(planned.map(({ words }) => words)).toEqual(['bundle', 'support', 'completion']);
    for (const { words } of planned) expect(commands.map((command) => command.words)).not.toContain(words);
  });
});

describe('options', () => {
  const rows = writtenOptions();
  const names = (flag: Parameters<typeof optionFor>[0]) => {
    const option = optionFor(flag);
    return option.hidden ? [] : [option.long ?? ''];
  };

  it.each(shown.map(({ words, flags }) => ({ words, flags })))(
    'of $words are those of the contract',
    ({ words, flags }) => {
      const written = rows
        .filter((row) => !row.planned && commandsOf(row.where).includes(words))
        .flatMap((row) => row.options.filter((option) => option.startsWith('--')));
      const taken = [...commonFlags, ...flags].flatMap(names);
      expect([...new Set(written)].sort()).toEqual([...new Set(taken)].sort());
    },
  );

  it('that are planned are not there', () => {
    const planned = rows.filter((row) => row.planned).flatMap((row) => row.options);
    expect(planned).toEqual(['--from']);
    const known = commands.flatMap(({ flags }) => flags.flatMap(names));
    for (const option of planned) expect(known).not.toContain(option);
  });
});

it('exit codes are those of the contract', () => {
  const written = [...section('Exit codes').matchAll(/^\| (\d+) \|/gm)].map((found) => Number(found[1]));
  expect(written).toEqual(Object.values(exits));
});

it('outcomes are those of the contract', () => {
  const sentence = /`outcome`: ((?:`[a-z-]+`,?\s*)+)\./.exec(section('The JSON document'))?.[1] ?? '';
  expect([...sentence.matchAll(/`([a-z-]+)`/g)].map((found) => found[1])).toEqual([...outcomes]);
});

it('help of every command and group has examples', () => {
  const program = buildProgram('0.0.0', () => {});
  for (const { words, examples } of [
    ...shown,
    ...Object.entries(groups).map(([words, rest]) => ({ words, ...rest })),
  ]) {
    const [first = '', second] = words.split(' ');
    const parent = program.commands.find((command) => command.name() === first);
    const command = second === undefined ? parent : parent?.commands.find((one) => one.name() === second);
    let text = '';
    command?.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
    expect(examples.length, words).toBeGreaterThan(0);
    for (const example of examples) expect(text).toContain(example);
  }
});
