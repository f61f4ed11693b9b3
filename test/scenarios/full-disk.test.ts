/** Disks that are too small, and disks that are full in the middle of a change: the commonest end of an upgrade in this field. Needs root, for a small disk. */

import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountTmpfs } from '../support/mounts.ts';
import { looksOf } from '../support/oracle.ts';
import { fallibleMailDev } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';
import { answers, change, putFile, refused, set } from '../support/steps.ts';

describe('a disk', () => {
  const onSmallDisk = async (skip: (note: string) => unknown, end: (work: () => Promise<void>) => void) => {
    const product = fallibleMailDev(sandbox());
    const small = await scenario([`${product}@2.2.1`, `${product}@3.0.0`], end);
    const instances = small.path('instances');
    mkdirSync(instances);
    // The instance keeps a copy of Assent and its Node: 130 MB where it can't share them.
    mountTmpfs(skip, instances, 'size=168m,mode=0755');
    if (nobody) chownSync(instances, nobody.uid, nobody.gid);
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    await change(small, 'install', `${product}@2.2.1`, ...set({ webPort, smtpPort }));
    const base = join(instances, 'maildev');
    return { small, base, look: () => looksOf(small, 'maildev', async () => String(await answers(webPort))) };
  };

  it('that is too small is found before anything is done', async ({ skip, onTestFinished }) => {
    const { small, base, look } = await onSmallDisk(skip, onTestFinished);
    putFile(join(base, 'data/large'), Buffer.alloc(16 * 1024 ** 2), base);
    const before = await look();
    const { error } = await refused(small, 3, 'refused-space', 'upgrade', 'maildev');
    expect(error.message).toMatch(/instances has \d+ MB free, \d+ MB are needed/);
    expect(await look()).toEqual(before);
    // What a killed run has left of a copy is no reason: it goes first.
    rmSync(join(base, 'data/large'));
    putFile(join(base, 'data.next/large'), Buffer.alloc(30 * 1024 ** 2), base);
    await change(small, 'upgrade', 'maildev');
  });

  it('that is full in the middle undoes the change', async ({ skip, onTestFinished }) => {
    const { small, base, look } = await onSmallDisk(skip, onTestFinished);
    const before = await look();
    const env = { NODE_OPTIONS: `--import=${pauseAt}`, ASSENT_TEST_PAUSE: '"entry":"begin","step":"data"' };
    const upgrade = small.json(['upgrade', 'maildev', '--yes'], { env });
    const pid = await pausedIn(join(base, 'journal/open.jsonl'));
    expect(() => writeFileSync(join(base, 'logs/much'), Buffer.alloc(50 * 1024 ** 2))).toThrow(/ENOSPC/);
    process.kill(pid, 'SIGCONT');
    const { exit, document } = await upgrade;
    expect({ exit, error: document.error }).toMatchObject({ exit: 6, error: { code: 'change-undone' } });
    expect(document.error.message).toContain('The disk is full');
    expect(await look()).toEqual(before);
    expect((await small.json(['status', 'maildev'])).document.instance.unfinished).toBeUndefined();
  });
});

const pauseAt = join(repository, 'test/support/pause-at.mjs');

/** Who holds the journal, once it stands still. */
const pausedIn = async (journal: string): Promise<number> => {
  for (;;) {
    const pid = /"pid":(\d+)/.exec(existsSync(journal) ? readFileSync(journal, 'utf8') : '')?.[1];
    if (pid && /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return Number(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
