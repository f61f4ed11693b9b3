/**
 * Building stones of the manifest's schema: strict objects that know their keys, bounded texts, relative paths.
 *
 * Messages are written as `what — remedy`, the form in which faults are shown. For unknown keys the message is the list of
 * the known ones: schema-faults.ts makes a suggestion for each key of it.
 */

import { parse } from 'semver';
import { z } from 'zod';
import { isSafeUrl } from './network-names.ts';

/** An object in which every key is known. */
export const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });

/** A text of 1 to `max` characters, without control characters. */
export const words = (max = 200) =>
  z
    .string()
    .min(1, 'is empty — write something or leave the key out')
    .max(max, `is longer than ${max} characters — shorten it`)
    .refine((text) => !/\p{Cc}/u.test(text), 'has a control character in it — remove it');

/** A mustache template in which names of settings, folders and so on stand. */
export const template = (max = 2000) => words(max).describe('A text in which {{names}} are filled in');

export const whole = (least: number, most: number) =>
  z
    .int()
    .min(least, `is less than ${least} — give ${least} to ${most}`)
    .max(most, `is more than ${most} — give ${least} to ${most}`);

/** A path below a folder: no leading slash, no `..`, plain characters. */
export const relativePath = z
  .string()
  .regex(
    /^[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/,
    'is not a relative path — write it like locks/1.0.0, with plain letters',
  )
  .refine(
    (path) => !path.split('/').some((part) => part === '..' || part === '.'),
    'leaves its folder — stay below it: no "." and no ".."',
  )
  .max(200, 'is longer than 200 characters — shorten it');

/** A JavaScript regular expression that compiles, at most 300 characters. */
export const pattern = z
  .string()
  .min(1, 'is empty — write a pattern or leave the key out')
  .max(300, 'is a pattern of more than 300 characters — shorten it')
  .refine(
    compiles,
    'is not a regular expression — correct its brackets and escapes (in double quotes YAML wants \\\\ for \\)',
  );

export const exactVersion = z
  .string({
    error: (issue) =>
      typeof issue.input === 'number'
        ? 'is a number in YAML — put it in quotes, with all three parts: "22.10.0"'
        : undefined,
  })
  .regex(
    /^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]{1,64})?(\+[0-9A-Za-z.-]{1,64})?$/,
    'is not an exact version — write all three parts, without "v": 1.2.3',
  )
  .refine((text) => parse(text) !== null, 'is not a semantic version — no leading zeros, no empty parts: 1.2.3');

/** A value that a JSON document may hold at one place. */
export const scalar = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()], {
  error: () => 'is no plain value — write a text, a number, true, false or null',
});

/** Keys into a JSON document, joined by dots: `build.version`. */
export const jsonPath = z
  .string()
  .regex(/^[\w-]+(\.[\w-]+){0,9}$/, 'is not a path into JSON — write keys joined by dots: build.version');

export const httpsUrl = z
  .string()
  .max(500, 'is longer than 500 characters — shorten it')
  .refine(
    isSafeUrl,
    'is not an https address — write https://..., without user, password or fragment (plain http only for 127.0.0.1 or [::1])',
  );

/** A name of an environment variable. */
export const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'is not a name of an environment variable — write it like MAIL_PORT');

function compiles(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
