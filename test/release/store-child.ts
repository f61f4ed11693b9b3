/** Stores the sample's release in a process of its own: SANDBOX [hold]. Prints the folder; with `hold` it then lives on until it is killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../src/product/manifest.ts';
import { storeRelease } from '../../src/release/store.ts';
import { realWorld } from '../../src/system/world.ts';

const [folder = '', hold] = process.argv.slice(2);
const file = join(folder, 'product/manifest.yaml');
const product = parseManifest(readFileSync(file, 'utf8'), file);
const [release] = product.releases;
if (release === undefined) throw new Error('no release');
const world = { ...realWorld(), env: { HOME: folder, PATH: '/usr/bin:/bin' } };
const stored = await storeRelease(world, join(folder, 'home'), product, release, null);
console.log(stored.folder);
if (hold === 'hold') setInterval(() => {}, 1000);
