/** The part of the manifest's schema about one release: where it comes from, how it is run, configured and watched. */

import { z } from 'zod';
import { health, ownTelemetry } from './schema-health.ts';
import { exactVersion, relativePath, strict, template, variable, whole, words } from './schema-parts.ts';
import { rehearsal } from './schema-rehearsal.ts';
import { parts, source } from './schema-source.ts';

export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

const commandLine = z.array(template()).min(1, 'is empty — name the program and its arguments').max(100);

const service = strict({
  command: commandLine,
  environment: z.record(variable, template()).default({}),
  environmentFile: relativePath.exactOptional().describe('A file of config/ with KEY=value lines'),
  directory: template(300).default('{{data}}').describe('Working directory'),
  stopSignal: z.enum(stopSignals).default('SIGTERM'),
  stopSeconds: whole(1, 600).default(10).describe('How long to wait for a stop before it is killed'),
  startSeconds: whole(1, 1800).default(30).describe('How long to wait for the first good health'),
  prepare: z
    .array(commandLine)
    .max(20)
    .default([])
    .describe("Commands before each start, as the service's user; idempotent"),
  jit: z.boolean().default(true).describe('The server makes code at run time, as Node does'),
}).meta({ id: 'service' });

const configFile = strict({
  template: relativePath.describe("A file below the manifest's folder"),
  file: relativePath.describe('Where it goes, below config/'),
  secret: z.boolean().default(false).describe('It may hold {{secret.NAME}}; only the server can read it'),
}).meta({ id: 'configFile' });

const bytes = whole(0, 1_000_000_000_000);

export const releaseShape = {
  runtime: exactVersion.exactOptional().describe('Version of the private Node; a release that needs no Node has none'),
  source: source.exactOptional().describe("Where the release comes from, laid out at its folder's root"),
  parts: parts
    .exactOptional()
    .describe('In place of "source": several, each laid out in a folder of its name, {{release}}/NAME'),
  size: strict({ download: bytes, installed: bytes, files: whole(1, 10_000_000) }).describe('Measured, in bytes'),
  service,
  config: z.array(configFile).max(100).exactOptional(),
  data: strict({ format: whole(1, 1_000_000) }).describe(
    'Another format: a rollback takes the data of then by default',
  ),
  health,
  rehearsal: rehearsal
    .exactOptional()
    .describe('Before an upgrade the new release is tried on a copy of the data; this says how that is made'),
  ownTelemetry: ownTelemetry.exactOptional(),
  probation: z
    .number()
    .min(0, 'is less than 0 — give the minutes of a trial, 0 for none')
    .max(10_080, 'is more than 10080 — a trial lasts a week at most')
    .exactOptional()
    .describe('Minutes for which an upgrade to this release is on trial: if it fails in them, it is rolled back'),
  notes: z.array(words(500)).max(20).exactOptional().describe('What an admin should know before this release'),
};

/** As written: whatever is missing may stand under `defaults`. */
export const writtenRelease = strict({ version: exactVersion, ...z.object(releaseShape).partial().shape });
export const releaseDefaults = strict(z.object(releaseShape).partial().shape);
/** As meant: with the defaults filled in. */
export const completeRelease = strict({ version: exactVersion, ...releaseShape });
