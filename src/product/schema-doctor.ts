/** The part of the manifest's schema that names what `doctor` looks at for this product, beside what it looks at for all. */

import { z } from 'zod';
import { strict, template, whole } from './schema-parts.ts';
import { settingName } from './schema-settings.ts';

const port = z.union([template(60), whole(1, 65535)], {
  error: () => 'is no port — write a number or "{{clientPort}}"',
});

/** As with dangers: `when` are settings that all have to be set, `unless` such of which one is enough to leave the check out. */
const common = {
  when: z.array(settingName).max(20).default([]),
  unless: z.array(settingName).max(20).default([]),
};

const srv = strict({
  kind: z.literal('srv'),
  ...common,
  service: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'is not a name of a service — write it like xmpp-client'),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  domain: template(253),
  port: port.describe('To which the record has to lead'),
});

const certificate = strict({
  kind: z.literal('certificate'),
  ...common,
  file: template(500).describe('Where this is empty there is no certificate, and nothing to check'),
  names: z.array(template(253)).min(1, 'names nobody — name at least the domain').max(20),
  days: whole(1, 365).default(21).describe('So long before its end it is a warning'),
  served: strict({ host: template(200), port })
    .exactOptional()
    .describe('Where the server shows it, over TLS'),
});

const clock = strict({ kind: z.literal('clock'), ...common });

const files = strict({
  kind: z.literal('files'),
  ...common,
  least: whole(1, 10_000_000).describe('How many files and connections the server has to be able to have open'),
});

const reach = strict({ kind: z.literal('port'), ...common, host: template(253), port });

export const doctorChecks = z
  .array(z.discriminatedUnion('kind', [srv, certificate, clock, files, reach]))
  .min(1, 'is empty — name a check, or leave the key out')
  .max(50);
