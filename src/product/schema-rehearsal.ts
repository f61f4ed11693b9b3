/**
 * The part of the manifest's schema about rehearsals: how the data is copied while this release writes it, so that the next one could start
 * with the copy as it would after a stop. A release that does not say is never rehearsed: a torn copy proves nothing.
 */

import { z } from 'zod';
import { strict, template, variable } from './schema-parts.ts';

/** Paths below the data folder; `*` stands for any characters of one name, `**` for any folders. */
const dataPattern = z
  .string()
  .max(200, 'is longer than 200 characters — shorten it')
  .regex(
    /^[A-Za-z0-9._@+*-]+(\/[A-Za-z0-9._@+*-]+)*$/,
    'is not a pattern of paths below the data — write it like server-files/*.sqlite',
  )
  .refine((path) => !path.split('/').includes('..'), 'leaves the data — stay below it: no ".."');

const copy = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('appended') }),
  strict({
    kind: z.literal('sqlite'),
    databases: z.array(dataPattern).min(1, 'is empty — name where the databases lie: server-files/*.sqlite').max(20),
  }),
  strict({
    kind: z.literal('command'),
    command: z.array(template()).min(1, 'is empty — name the program and its arguments').max(100),
  }),
]);

export const rehearsal = strict({
  copy: copy.describe(
    'appended: files are only appended to, or written under another name and renamed. sqlite: these are databases, the rest is as with appended. command: it fills its working directory with a copy',
  ),
  environment: z
    .record(variable, template(500))
    .default({})
    .describe('Variables for a rehearsal of this release: what keeps it from acting on more than its data'),
}).meta({ id: 'rehearsal' });
