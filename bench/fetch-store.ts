/** What bench/fetch.ts times, as a process of its own: HOME. Fetches and stores maildev 3.0.0. */
import { loadProduct, pickRelease } from '../src/product/catalogue.ts';
import { storeRelease } from '../src/release/store.ts';
import { realWorld } from '../src/system/world.ts';

const [home = ''] = process.argv.slice(2);
const world = realWorld();
const product = await loadProduct(world, 'maildev');
await storeRelease(world, home, product, pickRelease(product, '3.0.0'), null);
process.exit(0);
