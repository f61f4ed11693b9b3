/** Writes the JSON Schema of a product's manifest, which editors find by a line `# yaml-language-server: $schema=...`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { manifestSchemaText } from '../src/product/schema.ts';

const file = join(import.meta.dirname, '..', 'schema', 'product.schema.json');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, manifestSchemaText());
console.log(`wrote ${file}`);
