/**
 * A hostile user of a server of root's: whatever it puts into its folders while root changes or removes them, root is led nowhere else.
 * Skipped, with the reason printed, where the tests do not run as root.
 */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findAccount, hostile, isGroup, makeRootStage, type RootStage, skipped } from '../support/as-root.ts';
import { touchedDigest } from '../support/steps.ts';

let stage: RootStage;
let canary: string;
beforeAll(async () => {
  if (skipped) return;
  stage = await makeRootStage('h');
  canary = join(stage.folder, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'song'), 'what root alone may read\n', { mode: 0o600 });
  await stage.fine(...stage.install('--telemetry=off'));
});
afterAll(async () => {
  if (skipped) return;
  spawnSync('umount', ['--lazy', stage.place('data/mounted')]);
  await stage.close();
});

describe.skipIf(skipped)('a hostile user of a server', () => {
  let attack: ChildProcess | undefined;
  afterEach(() => attack?.kill('SIGKILL'));

  /** Swaps folders for links all the time, in the data and in the copy that a change is making, and says so each time. */
  const swapping = ({ place }: RootStage): string => `
    while :; do for data in ${place('data')} ${place('data.next')}; do
      rm -rf $data/prey; mkdir -p $data/prey/etc 2>/dev/null && echo bait >$data/prey/song
      mv $data/prey $data/away 2>/dev/null && ln -s ${canary} $data/prey 2>/dev/null && echo swapped
      rm -rf $data/away; ln -sfn /etc $data/mail2 2>/dev/null
    done; done`;

  it('leads no change out of its data, neither to read nor to write', async () => {
    const { account, fine, healthy, place, name, world } = stage;
    const before = touchedDigest(canary);
    const { mode } = statSync('/etc');
    attack = hostile(account(), swapping(stage));
    let swaps = 0;
    attack.stdout?.on('data', (said: Buffer) => {
      swaps += said.toString('latin1').split('\n').length - 1;
    });
    for (let round = 0; round < 3; round += 1) {
      const run = await world.json([round === 0 ? 'upgrade' : 'reinstall', name, '--yes', '--telemetry=off']);
      expect([0, 3, 6], run.stderr).toContain(run.exit);
    }
    expect({ exit: attack.exitCode, signal: attack.signalCode }, 'it was there all the time').toEqual({
      exit: null,
      signal: null,
    });
    attack.kill('SIGKILL');
    await once(attack, 'close');
    expect(swaps).toBeGreaterThan(0);
    expect(touchedDigest(canary)).toBe(before);
    expect(statSync('/etc').mode).toBe(mode);
    expect(spawnSync('find', [place(), '-name', 'shadow'], { encoding: 'utf8' }).stdout, 'a copy of /etc').toBe('');
    expect(spawnSync('grep', ['-rl', 'what root alone may read', place()], { encoding: 'utf8' }).stdout).toBe('');
    await fine('upgrade', name, '--yes', '--telemetry=off');
    await fine('reinstall', name, '--yes', '--telemetry=off');
    await healthy('3.0.0');
  });

  it('leads no purge out of its data: links are removed, what is mounted is left alone and named', async () => {
    const { fine, place, userName, name } = stage;
    const data = place('data');
    for (const [link, target] of [
      ['to-canary', canary],
      ['to-etc', '/etc'],
    ] as const)
      symlinkSync(target, join(data, link));
    mkdirSync(join(data, 'mounted'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(data, 'mounted')], {
      encoding: 'utf8',
    });
    expect(mounted.status, mounted.stderr).toBe(0);
    writeFileSync(join(data, 'mounted/precious'), 'kept\n');
    const before = touchedDigest(canary);
    const gone = await fine('uninstall', name, '--purge', '--ack', 'purge-data', '--yes');
    expect(touchedDigest(canary)).toBe(before);
    expect(readFileSync(join(data, 'mounted/precious'), 'utf8')).toBe('kept\n');
    expect(JSON.stringify(gone.warnings)).toContain(join(data, 'mounted'));
    expect(readdirSync(data)).toEqual(['mounted']);
    expect(existsSync(place('secrets')) || existsSync(place('consent.log'))).toBe(false);
    expect({ user: findAccount(userName), group: isGroup(userName) }).toEqual({ user: undefined, group: false });
    expect((await fine('status')).instances).toEqual([]);
  });
});
