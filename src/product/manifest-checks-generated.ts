/** A secret that is made where none is given has to be one that could be given: within the bounds of its setting, and of its pattern. */

import { fitsSecret, sampleSecrets } from './generated-secret.ts';
import type { Path, RawFault } from './located-yaml.ts';
import type { Setting } from './settings.ts';

export const checkGenerated = ({ min, max, ...setting }: Setting, path: Path): RawFault[] => {
  const { generate, pattern } = setting;
  if (generate === undefined) return [];
  const faults: RawFault[] = [];
  const fault = (what: string, remedy: string) => faults.push({ path: [...path, 'generate'], what, remedy });
  if (min !== undefined && generate < min)
    fault(`${generate} is less than min, ${min}`, `generate at least ${min} characters, or lower "min"`);
  if (max !== undefined && generate > max)
    fault(`${generate} is more than max, ${max}`, `generate at most ${max} characters, or raise "max"`);
  if (!sampleSecrets(generate).some((sample) => fitsSecret(setting, sample)))
    fault(
      `no generated secret matches ${pattern}: they are letters and digits`,
      'widen "pattern", or remove "generate" and let one be given',
    );
  return faults;
};
