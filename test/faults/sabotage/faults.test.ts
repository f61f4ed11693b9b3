/** Each deliberate fault can be made: a source that has changed is seen here, and not only by the attack. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../support/seed.ts';
import { sabotages } from './faults.ts';

test.each(sabotages)('$name', ({ file, changes }) => {
  const source = readFileSync(join(repository, file), 'utf8');
  for (const [search] of changes) expect(source.split(search), search).toHaveLength(2);
});
