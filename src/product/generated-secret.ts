/**
 * What a generated secret looks like: letters and digits that can't be taken for one another. Whoever makes one brings the randomness; here is
 * what it is made of, and samples of it, so that a manifest is refused whose bounds or pattern no generated secret could ever fit.
 */

import { Failure } from '../errors.ts';
import { parseSetting, type Setting } from './settings.ts';

export const secretAlphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** One that begins with each letter of the alphabet. The stride has no divisor in common with its length, so that all kinds are in each. */
export const sampleSecrets = (length: number): string[] =>
  [...secretAlphabet].map((_, first) =>
    Array.from({ length }, (__, at) => secretAlphabet[(first + at * 23) % secretAlphabet.length]).join(''),
  );

/** Whether the secret could also have been given by hand: its length and the setting's pattern. */
export const fitsSecret = (setting: Setting, text: string): boolean => {
  try {
    parseSetting(setting, text);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
};
