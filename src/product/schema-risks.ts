/** The part of the manifest's schema that names what settings may bring about: dangers, which have to be accepted by id, and warnings. */

import { z } from 'zod';
import { strict, words } from './schema-parts.ts';
import { settingName } from './schema-settings.ts';

const risk = strict({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'is not an id — small letters, digits and single hyphens: plain-text')
    .max(60, 'is longer than 60 characters — shorten it'),
  when: z
    .array(settingName)
    .min(1, 'names no setting — name those that have to be set for it to hold')
    .max(20)
    .describe('Settings that are all set and true; an address counts as such where it is beyond this machine'),
  unless: z
    .array(settingName)
    .max(20)
    .default([])
    .describe('Settings of which one that is set and true is enough to end it'),
  message: words(300).describe('What will be so'),
  remedy: words(300).describe('What to do about it'),
});

export const risks = z.array(risk).max(30);
