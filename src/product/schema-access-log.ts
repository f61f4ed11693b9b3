/**
 * The part of the manifest's schema that names an access log: for servers whose WebClient is counted from beside, because no module of ours
 * can be loaded into them.
 *
 * Only what the counting takes can be named. Some of it has names that common servers give it, and those need not be written; the two
 * headers with which people object to being counted have to be named always: nobody may be counted because a log is silent about them.
 */

import { z } from 'zod';
import { strict, variable } from './schema-parts.ts';

const fieldName = z
  .string()
  .regex(
    /^[\w-]{1,60}(\.[\w-]{1,60}){0,5}\??$/,
    'is not a name of a field — write its key, dots between nested ones: request.uri ("?" at the end of gpc and dnt)',
  );

const fields = strict({
  time: fieldName.exactOptional(),
  address: fieldName.exactOptional(),
  method: fieldName.exactOptional(),
  path: fieldName.exactOptional(),
  request: fieldName.exactOptional().describe('The request line, where method and path have no keys of their own'),
  status: fieldName.exactOptional(),
  agent: fieldName.exactOptional(),
  gpc: fieldName.exactOptional().describe('Sec-GPC; with "?" where the key is left out for requests without it'),
  dnt: fieldName.exactOptional().describe('DNT; with "?" where the key is left out for requests without it'),
});

export const accessLog = strict({
  file: z
    .string()
    .max(200, 'is longer than 200 characters — shorten it')
    .exactOptional()
    .describe('Below {{data}}: "{{data}}/logs/access.log"'),
  socket: variable
    .exactOptional()
    .describe(
      'In place of "file": the variable that names a socket to the server, set only after a yes; lines go there',
    ),
  format: z.enum(['combined', 'common', 'json']),
  signals: z
    .boolean()
    .default(false)
    .describe('Whether each line of a combined or common log ends in two more quoted fields: Sec-GPC and DNT'),
  fields: fields.exactOptional().describe('Keys of a JSON line, where they are others than usual'),
});
