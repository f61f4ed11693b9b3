/** The part of the manifest's schema that says where a release, or a part of it, comes from. */

import { z } from 'zod';
import { debArchitectures } from './machine-names.ts';
import { relativePath, strict } from './schema-parts.ts';

const npmName = z
  .string()
  .regex(/^(@[a-z0-9._-]+\/)?[a-z0-9._-]+$/i, 'is not a name of a package — write it like better-sqlite3');

export const npmSource = strict({
  kind: z.literal('npm'),
  lock: relativePath.describe("Folder with package.json and package-lock.json, below the manifest's own"),
  rebuild: z
    .array(npmName)
    .max(50)
    .default([])
    .describe('Packages with native code: they are compiled, by name, after verification'),
  dependencies: z
    .literal(false, { error: () => 'is only ever false — leave it out, and the dependencies come with the package' })
    .exactOptional()
    .describe(
      'The packages carry all that they need (a WebClient that was built): "assent products lock" leaves theirs out',
    ),
}).meta({ id: 'source' });

const suite = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'is not a name of a suite — write it like bookworm or bookworm-backports');

const debName = /^[a-z0-9][a-z0-9+.-]{1,99}$/;

export const debSource = strict({
  kind: z.literal('deb'),
  lock: relativePath.describe("Folder with deb-amd64.json and deb-arm64.json, below the manifest's own"),
  suites: z
    .array(suite)
    .min(1, 'has no suite — name at least one: bookworm')
    .max(20)
    .describe('Suites of the archive that "assent products lock" takes packages from'),
  packages: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9][a-z0-9+.-]{1,99}(\/[a-z][a-z0-9-]{0,63})?$/,
          'is not a name of a package — write it like prosody, or prosody/bookworm-backports for one of a suite',
        ),
    )
    .min(1, 'has no package — name at least one')
    .max(200)
    .describe('What is wanted, NAME or NAME/SUITE; what they depend on comes with them'),
  without: z
    .array(z.string().regex(debName, 'is not a name of a package — write it like ssl-cert'))
    .max(200)
    .default([])
    .describe('Packages that are depended on and left out on purpose: what only scripts that never run need'),
  architectures: z
    .array(z.enum(debArchitectures))
    .min(1, 'is empty — name amd64, arm64 or both')
    .max(debArchitectures.length)
    .default([...debArchitectures]),
});

export const source = z.discriminatedUnion('kind', [npmSource, debSource]);

/** Name of a part -> its source. */
export const parts = z
  .record(
    z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not a name of a part — small letters, digits and hyphens: server, web'),
    source,
  )
  .refine((all) => Object.keys(all).length > 0, 'has no part — name at least one, or write "source: ..."');
