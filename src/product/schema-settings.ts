/** The part of the manifest's schema about settings: one strict object a type, so that a key that does not fit the type is unknown. */

import { z } from 'zod';
import { pattern, strict, whole, words } from './schema-parts.ts';

const common = {
  title: words(60).describe('What the question says'),
  help: words(300).exactOptional().describe('One more line, for those who ask'),
  required: z.boolean().exactOptional().describe('False: the product works without it. Default: true'),
  ask: z.boolean().default(true).describe('False: not asked at the terminal; flags and answers may still give it'),
};

const anyWhole = whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const portNumber = whole(1, 65535);
const lengthOf = whole(0, 1000);

const quoted = (what: string) =>
  z.string({
    error: (issue) =>
      typeof issue.input === 'string' || issue.input === undefined
        ? undefined
        : `is ${typeof issue.input === 'boolean' ? 'true or false' : 'a number'} in YAML — put the ${what} in quotes`,
  });

export const setting = z.discriminatedUnion('type', [
  strict({
    type: z.literal('port'),
    ...common,
    default: portNumber.exactOptional(),
    min: portNumber.exactOptional(),
    max: portNumber.exactOptional(),
  }),
  strict({
    type: z.literal('integer'),
    ...common,
    default: anyWhole.exactOptional(),
    min: anyWhole.exactOptional(),
    max: anyWhole.exactOptional(),
  }),
  strict({
    type: z.literal('text'),
    ...common,
    default: quoted('text').exactOptional(),
    min: lengthOf.exactOptional().describe('Shortest length'),
    max: lengthOf.exactOptional().describe('Longest length; 200 where it is not given'),
    pattern: pattern.exactOptional().describe('Regular expression that the whole text has to match'),
  }),
  strict({ type: z.literal('address'), ...common, default: quoted('address').exactOptional() }),
  strict({ type: z.literal('domain'), ...common, default: quoted('domain').exactOptional() }),
  strict({
    type: z.literal('choice'),
    ...common,
    choices: z.array(quoted('choice').min(1).max(60)).min(1, 'has no choice — name at least one').max(30),
    default: quoted('choice').exactOptional(),
  }),
  strict({ type: z.literal('boolean'), ...common, default: z.boolean().exactOptional() }),
  strict({
    type: z.literal('secret'),
    ...common,
    min: lengthOf.exactOptional().describe('Shortest length'),
    max: lengthOf.exactOptional(),
    pattern: pattern.exactOptional().describe('Regular expression that the whole secret has to match'),
    generate: whole(12, 128).exactOptional().describe('Length of the secret that is made where none is given'),
  }),
]);

/** `webPort`, or with one dot `smtp.port`. */
export const settingName = z
  .string()
  .regex(
    /^[a-z][a-zA-Z0-9]{0,39}(\.[a-z][a-zA-Z0-9]{0,39})?$/,
    'is not a name of a setting — begin with a small letter, then letters and digits: webPort',
  );

export const settings = z.record(settingName, setting);
