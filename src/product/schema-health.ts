/** The part of the manifest's schema that watches a server: health checks, and the telemetry of the server itself. */

import { z } from 'zod';
import { jsonPath, pattern, scalar, strict, template, variable, whole, words } from './schema-parts.ts';

const headers = z.record(
  z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is not a name of a header — write it like Accept'),
  template(500),
);
const command = z.array(template()).min(1, 'is empty — name the program and its arguments').max(100);

const httpCheck = strict({
  kind: z.literal('http'),
  url: template(500),
  status: whole(100, 599).default(200),
  headers: headers.default({}),
  login: z.boolean().default(false).describe("Sends the manifest's login as basic authentication"),
  body: pattern.exactOptional().describe('Regular expression that the body has to match'),
  json: strict({ path: jsonPath, equals: scalar }).exactOptional(),
  version: strict({ path: jsonPath }).exactOptional().describe('Where the JSON answer tells the version'),
});

const smtpCheck = strict({
  kind: z.literal('smtp'),
  host: template(200),
  port: z.union([template(60), whole(1, 65535)], { error: () => 'is no port — write a number or "{{smtpPort}}"' }),
  banner: pattern.exactOptional(),
  version: pattern.exactOptional().describe('Regular expression whose first group is the version in the banner'),
  domain: template(253).exactOptional().describe('A mail to this domain has to be accepted up to RCPT'),
});

const commandCheck = strict({ kind: z.literal('command'), command, stdout: pattern.exactOptional() });

export const check = z.discriminatedUnion('kind', [httpCheck, smtpCheck, commandCheck]);

export const health = strict({
  stableSeconds: whole(0, 60).default(3).describe('How long every check has to stay good'),
  checks: z.array(check).min(1, 'has no check — name at least one of kind http, smtp or command').max(20),
}).meta({ id: 'health' });

const action = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('json'), file: template(300), set: z.record(jsonPath, scalar) }),
  strict({ kind: z.literal('environment'), name: variable, value: template(500) }),
]);

const readBack = z.discriminatedUnion('kind', [
  strict({
    kind: z.literal('http'),
    url: template(500),
    headers: headers.default({}),
    login: z.boolean().default(false),
    json: strict({ path: jsonPath }),
    off: scalar,
    on: scalar.exactOptional(),
  }),
  strict({
    kind: z.literal('json-file'),
    file: template(300),
    json: strict({ path: jsonPath }),
    off: scalar,
    on: scalar.exactOptional(),
  }),
]);

export const ownTelemetry = strict({
  summary: words(500).describe('What the server itself would send, and to whom'),
  off: z.array(action).min(1, 'is empty — name at least one action that keeps it off').max(20),
  on: z.array(action).min(1, 'is empty — name an action or leave the key out').max(20).exactOptional(),
  readBack: readBack.describe('How the running server tells whether it obeys'),
  notice: strict({
    sends: words(500),
    to: words(300),
    identifiers: words(300),
    restart: z.boolean().describe('Whether turning it off takes effect only after a restart'),
  })
    .exactOptional()
    .describe('A section of its own in the notice; without it a yes never turns it on'),
}).meta({ id: 'ownTelemetry' });
