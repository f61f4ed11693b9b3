/** Help: text for people that fits 80 columns, and with --json the same as one document. */
import { describe, expect, it } from 'vitest';
import { commands, groups } from '../../src/cli/commands.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import { scenario } from '../support/scenario.ts';

const helpOf = (line: string) => {
  const meant = parseCommandLine(line.split(' ').filter(Boolean), '0.0.0', 80);
  if (meant.kind !== 'help') throw new Error(`"${line}" is no question for help`);
  return meant;
};
const all = ['', ...Object.keys(groups), ...commands.map(({ words }) => words)];

describe.each(all)('help of assent %s', (words) => {
  const { text, help } = helpOf(`${words} --help`);

  it('fits 80 columns', () => {
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('as data is what the text says', () => {
    expect(help.of).toBe(`assent ${words}`.trim());
    expect(help.arguments.length).toBe(commands.some((one) => one.words === words && one.operands !== '') ? 1 : 0);
    const plain = text.replace(/\s+/g, ' ');
    const { summary, usage, arguments: operands, options, commands: below = [], examples } = help;
    const explained = operands.flatMap(({ name, text }) => [name, text]);
    const said = [summary, ...explained, usage, ...options.flatMap(({ flags, text }) => [flags, text]), ...examples];
    for (const one of [...said, ...below.map((command) => command.summary)]) expect(plain).toContain(one);
  });
});

it.each([
  ['', 'assent'],
  ['help', 'assent'],
  ['--json', 'assent'],
  ['help upgrade', 'assent upgrade'],
  ['help telemetry', 'assent telemetry'],
  ['help telemetry off', 'assent telemetry off'],
  ['help upgrade maildev', 'assent upgrade'],
])('"%s" shows the help of %s', (line, of) => {
  expect(helpOf(line).help.of).toBe(of);
});

it('with --json is one document, and the overview too', async () => {
  const world = await scenario([]);
  for (const line of [[], ['--help'], ['upgrade', '--help'], ['help', 'telemetry', 'off']]) {
    const { exit, stderr, document } = await world.json(line);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(document).toMatchObject({ schema: 'assent/1', command: 'help', ok: true, changed: false });
    expect(document.help.examples.length).toBeGreaterThan(0);
  }
});
