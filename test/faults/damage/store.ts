/** What an instance relies on beside its state: its secrets, and the seal of the release that it runs. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Target } from '../damage.ts';
import { name, type Stage } from '../stage.ts';
import { anyFile, empty, withMember, zeros } from './harms.ts';
import { doctorFinds, refusedAs, silentReinstall, withoutTouching } from './scene.ts';

export const secret: Target = {
  from: 'base',
  file: 'secrets/token',
  harms: { empty, zeros },
  holds: async ({ stage, manifest }) => {
    await withoutTouching(stage, async () => {
      await doctorFinds(stage, 'secret-damaged');
      await refusedAs(stage, 'refused-state-damaged', ...silentReinstall);
      await refusedAs(stage, 'refused-state-damaged', 'install', manifest, '--yes');
    });
  },
};

/** Of a stored release: its seal, without which it is none. */
export const seal: Target = {
  from: 'base',
  file: ({ world }: Stage) => releaseOf(world.path('releases/json-server')),
  harms: {
    ...anyFile,
    'later-format': withMember('format', () => 2),
    'other-host': withMember('digest', () => '0123456789ab'),
  },
  holds: async ({ stage, whole, harmed, note }) => {
    const differs = sealDiffers(whole, harmed.bytes);
    if (differs === 'untold') note('seal');
    await withoutTouching(stage, async () => {
      const { document, exit } = await stage.world.json(['status', name]);
      assert.equal(exit, 0);
      if (differs === 'untold') return;
      if (differs === 'damaged') {
        assert.equal(document.instance.state, 'unknown');
        await refusedAs(stage, 'refused-check', ...silentReinstall);
        await refusedAs(stage, 'refused-check', 'start', name);
      }
      await doctorFinds(stage, differs === 'damaged' ? 'release-damaged' : 'release-altered');
    });
  },
};

const releaseOf = (folder: string): string => {
  const found = readdirSync(folder).find((release) => release.startsWith('0.17.4-'));
  return `${folder}/${found}/release.json`;
};

/** A release is told by its seal: one that can't be read, or says another place, makes it none; another digest of the tree shows. For the rest of it the seal has no digest. */
const sealDiffers = (whole: Buffer, bytes: Buffer): 'damaged' | 'altered' | 'untold' => {
  try {
    const [before, now] = [whole, bytes].map((text) => JSON.parse(text.toString('utf8')));
    const { releases } = now.product;
    const isSeal = now.format === 1 && Array.isArray(releases) && /^[0-9a-f]{64}$/.test(now.tree);
    const isHere = now.version === before.version && now.digest === before.digest && now.product.name === name;
    const hasRelease = releases.some(({ version }: { version: string }) => version === now.version);
    if (!isSeal || !isHere || !hasRelease) return 'damaged';
    return now.tree === before.tree ? 'untold' : 'altered';
  } catch {
    return 'damaged';
  }
};
