/** The short way of light.ts and commander have to mean the same by the same line, or the short way has to leave it to commander. */
import { expect, it } from 'vitest';
import { parseLight } from '../../src/cli/light.ts';
import { parseCommandLine } from '../../src/cli/program.ts';

const lines = [
  'status',
  'status maildev',
  'status --json',
  '--json status',
  'status --json --no-color maildev',
  'status --home /srv/a',
  '--home=/srv/a status maildev',
  'status --quiet',
  'status --verbose maildev',
  'telemetry status',
  'telemetry status maildev --exit-code',
  'telemetry --json status',
  'telemetry status --exit-code --json --home /srv/a',
];

it.each(lines)('%s', (line) => {
  const argv = line.split(' ');
  const light = parseLight(argv);
  expect(light).toBeDefined();
  expect(light).toEqual(parseCommandLine(argv, '0.0.0', 80));
});

const left = [
  '',
  'install',
  'status one two',
  'status --exit-code',
  'status --quiet --verbose',
  'status --home',
  'status --home=',
  'status --home --json',
  'status --home a --home b',
  'status --json=true',
  'status -- maildev',
  'status --yes',
  'telemetry',
  'telemetry off',
  'telemetry status one two',
  'telemetry status --all',
  'stauts',
];

it.each(left)('leaves "%s" to commander', (line) => {
  expect(parseLight(line.split(' '))).toBeUndefined();
});
