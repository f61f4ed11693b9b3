/**
 * The schema of a product's manifest. It gives the types, the structural faults, and the JSON Schema for editors
 * (`npm run schema` writes schema/product.schema.json; a test says when that is out of date).
 *
 * What a schema can't say (names in templates, versions in order, files on disk) is checked in manifest-checks.ts and manifest-files.ts.
 */

import { z } from 'zod';
import { accessLog } from './schema-access-log.ts';
import { doctorChecks } from './schema-doctor.ts';
import { httpsUrl, strict, template, whole, words } from './schema-parts.ts';
import { releaseDefaults, writtenRelease } from './schema-release.ts';
import { risks } from './schema-risks.ts';
import { settingName, settings } from './schema-settings.ts';

export const dimensions = ['browser', 'hour'] as const;

const counter = strict({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
      'is not a name of a counter — small letters, digits and single hyphens: mailbox-opened',
    )
    .max(60, 'is longer than 60 characters — shorten it'),
  title: words(60).describe('As the notice says it'),
  routes: z
    .array(
      z
        .string()
        .max(200)
        .regex(
          /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/[A-Za-z0-9\-._~!$'()+,;=:@/*%]*$/,
          'is not a route — write method and path, "GET /api/email/:id", without a query',
        ),
    )
    .min(1, 'has no route — name at least one: GET /api/email')
    .max(50),
});

const dimension = z.enum(dimensions, {
  error: () =>
    'may not be counted — only browser (the family) and hour (of day) are allowed, the day is implied; never addresses, names, accounts, content or identifiers',
});

const recipient = z.union([z.literal('none'), strict({ name: words(100), endpoint: httpsUrl, policy: httpsUrl })]);

const request = z
  .string()
  .max(500)
  .regex(
    /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/[\x21-\x7e]*$/,
    'is not a request — write method and path as a browser sends them: "GET /api/email?limit=5"',
  );

export const telemetry = strict({
  counters: z.array(counter).min(1, 'has no counter — name at least one, or leave telemetry out').max(60),
  dimensions: z.array(dimension).max(2).default([]),
  // Each cell remembers as many clients, in memory; and a server with larger groups than that would have nothing left to report.
  smallestGroup: whole(5, 1_000)
    .default(5)
    .describe('A number with fewer clients behind it is dropped before it is written'),
  period: z.enum(['day', 'week', 'month']).default('week').describe('How often a report would be sent'),
  retentionDays: whole(1, 3650).default(90),
  recipient: recipient.describe('"none", or who receives the reports'),
  traffic: z
    .array(request)
    .min(1, 'has no request — name at least one, or leave traffic out')
    .max(50)
    .exactOptional()
    .describe('Requests that "assent telemetry prove" makes: of the kind that people\'s browsers make'),
  accessLog: accessLog
    .exactOptional()
    .describe('For servers that are no Node programs: the log from which requests are counted'),
});

export const manifestSchema = strict({
  format: z.literal(1, {
    error: () => 'is not 1 — this program reads manifests of format 1; a newer format needs a newer Assent',
  }),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not a name of a product — small letters, digits and hyphens, 32 at most'),
  title: words(60),
  summary: words(160),
  homepage: httpsUrl.exactOptional(),
  license: words(60).exactOptional(),
  settings: settings.default({}),
  urls: z
    .record(
      z
        .string()
        .regex(
          /^[a-z][a-zA-Z0-9]{0,39}$/,
          'is not a name of an address — small letter first, then letters and digits: web',
        ),
      template(500),
    )
    .default({}),
  login: strict({ user: template(200), secret: settingName })
    .exactOptional()
    .describe('What the last screen says, and what checks with login: true send'),
  dangers: risks.exactOptional().describe('What settings bring about that has to be accepted by its id: --ack ID'),
  warnings: risks.exactOptional().describe('What settings bring about that should be known'),
  doctor: doctorChecks
    .exactOptional()
    .describe('What "assent doctor" looks at for this product, beside what it looks at for all'),
  defaults: releaseDefaults
    .default({})
    .describe('Keys of a release, used where a release has no such key of its own (whole keys)'),
  releases: z.array(writtenRelease).min(1, 'has no release — name at least one').max(200),
  telemetry: telemetry.exactOptional(),
}).meta({ title: 'A product that Assent can install' });

/** The text of schema/product.schema.json: draft 7, which editors know, of a manifest as it is written. */
export const manifestSchemaText = (): string =>
  `${JSON.stringify(z.toJSONSchema(manifestSchema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
