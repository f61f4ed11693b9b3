/** A change that comes to nothing behind a no: the no stands, and document and words say so. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { failedBehindNo } from '../../src/cli/failed-behind-no.ts';
import { flagsOf } from '../../src/cli/flags.ts';
import type { Invocation } from '../../src/cli/invocation.ts';
import { Failure } from '../../src/errors.ts';
import { documentOf } from '../../src/ui/json.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { homeWith } from '../consent/homes.ts';
import { conduct, type Home } from '../consent/support.ts';
import { realCommand } from '../support/real-command.ts';
import { freePorts } from '../support/sandbox.ts';
import { eventually } from '../support/service.ts';
import { set } from '../support/steps.ts';

let home: Home;
beforeEach(async () => {
  home = await homeWith('yes', { name: 'maildev' });
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
});

const change = (...words: string[]) => realCommand(home.folder, [...words, '--telemetry=off'], { now: new Date() });

test.each([
  ['no-release', 10, ['upgrade', '--to', '9.9.9', '--yes']],
  ['usage-option', 2, ['upgrade', '--to', '2.2.1', '--yes']],
  ['usage-exists', 2, ['install', 'maildev@2.2.1', '--yes']],
  ['no-previous', 10, ['rollback', '--yes']],
  ['confirmation-needed', 4, ['reinstall']],
] as const)(
  '%s leaves exit %i, tells of the withdrawal, and does not say that nothing was changed',
  async (code, exit, words) => {
    // Those of the catalogue may be somebody's: a MailDev that the README's first command has installed, say.
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    const ports = code === 'confirmation-needed' ? set({ webPort, smtpPort }) : [];
    const { document, stderr, ...ended } = await change(...words, ...ports).ended;
    expect({ ...ended, ...document }).toMatchObject({
      exit,
      ok: false,
      outcome: 'refused',
      changed: true,
      instance: { name: 'maildev', version: '3.0.0' },
      consent: { state: 'withdrawn', collecting: false },
      error: { code, exit },
    });
    for (const text of [stderr, `${document.error.message} ${document.error.advice}`]) {
      expect(text).not.toMatch(/nothing (was|has been) changed/i);
      expect(text.replace(/\s+/g, ' ')).toMatch(/Nothing but consent was changed.* The withdrawal is recorded/);
    }
  },
);

test('the second time, when the no is on record already, nothing was changed', async () => {
  const words = ['upgrade', '--to', '9.9.9', '--yes'] as const;
  await change(...words).ended;
  const { document, stderr } = await change(...words).ended;
  expect(document).toMatchObject({ changed: false, error: { code: 'no-release' } });
  expect(document.consent).toBeUndefined();
  expect(stderr).toContain('Nothing was changed.');
});

test('a signal while the no takes effect ends the command behind it', async () => {
  mkdirSync(home.paths.counts, { recursive: true });
  const part = join(home.paths.counts, 'part');
  writeFileSync(part, 'x');
  // Whoever counts holds the counts open: the withdrawal waits for it.
  const holder = spawn('/bin/sleep', ['60'], { stdio: ['ignore', openSync(part, 'r'), 'ignore'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const { child, ended } = change('upgrade', '--to', '9.9.9', '--yes');
  await eventually(() => expect(readFileSync(home.paths.consentLog, 'utf8')).toContain('"kind":"withdrawal"'), 30_000);
  child.kill('SIGTERM');
  const { exit, document, stderr } = await ended;
  expect({ exit, document }).toMatchObject({
    exit: 130,
    document: { changed: true, consent: { state: 'withdrawn' }, error: { code: 'cancelled' } },
  });
  expect(stderr).not.toMatch(/nothing was changed/i);
  expect(readdirSync(home.paths.folder).filter((name) => name.startsWith('telemetry'))).toEqual([]);
});

test('one that holds, and whose end could not be written, is told as one that failed, behind a no as well', () => {
  const failure = new Failure('change-interrupted', 'The upgrade of maildev holds.', 'Type: recover.', undefined, true);
  const invocation: Invocation = {
    world: home.world,
    home: home.folder,
    flags: flagsOf({}),
    operands: [],
    look: { paint: noPaint, symbols: symbolsFor({}), columns: 80 },
    say: () => {},
  };
  const { result, failure: told } = failedBehindNo(invocation, home.paths.name, failure, []);
  expect(JSON.parse(documentOf('upgrade', result, told))).toMatchObject({ outcome: 'failed', changed: true });
});
