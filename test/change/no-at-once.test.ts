/** `--telemetry=off` of a command that is refused: the no is on record all the same, wherever there is something of the instance. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { loadLog } from '../../src/consent/log.ts';
import { emptyHome, yesRaise } from '../consent/homes.ts';
import { refusalOf } from '../consent/real-conduct.ts';
import { answerOf, conduct, finish, type Home, open, writeOpening } from '../consent/support.ts';

let home: Home;
beforeEach(() => {
  home = emptyHome({ name: 'maildev' });
});

test('a first install with a yes that was killed before its state file: the no that comes with the next one wins', async () => {
  const raise = yesRaise(home, { change: 'install', version: '2.2.1' });
  writeOpening(home, 'install', raise, undefined);
  expect(await refusalOf(home, { kind: 'install', product: 'maildev' })).not.toBe('not refused');
  await open(home, 'install', raise, undefined);
  await finish(home);
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
});

test.each(['reinstall', 'uninstall'] as const)(
  'a damaged state file: %s is refused, and its no outlives the repair',
  async (kind) => {
    await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
    const good = readFileSync(home.paths.state);
    writeFileSync(home.paths.state, '{');
    expect(await refusalOf(home, { kind, instance: 'maildev', purge: kind === 'uninstall' })).toBe(
      'refused-state-damaged',
    );
    writeFileSync(home.paths.state, good);
    expect(loadLog(home.paths).standing).toMatchObject({ state: 'withdrawn' });
    expect(answerOf(home).collecting).toBe(false);
  },
);

test('a dry run says no to nobody, and where there is nothing of an instance no log is made', async () => {
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  const length = loadLog(home.paths).length;
  writeFileSync(home.paths.state, '{');
  expect(await refusalOf(home, { kind: 'reinstall', instance: 'maildev', dryRun: true })).toBe('refused-state-damaged');
  expect(loadLog(home.paths).length).toBe(length);
  rmSync(home.paths.folder, { recursive: true });
  expect(await refusalOf(home, { kind: 'install', product: 'maildev@9.9.9' })).toBe('no-release');
  expect(existsSync(home.paths.folder)).toBe(false);
});
