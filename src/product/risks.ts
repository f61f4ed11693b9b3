/**
 * What a product's settings bring about and an admin should know before the plan is taken: dangers and warnings that the manifest declares.
 * Pure: the same settings, the same risks.
 */

import type { z } from 'zod';
import type { RawFault } from './located-yaml.ts';
import type { Product } from './manifest.ts';
import { isLoopback } from './network-names.ts';
import type { risks } from './schema-risks.ts';
import type { Settings } from './settings.ts';
import { suggestion } from './wording.ts';

export type Risk = z.output<typeof risks>[number];

type Described = Pick<Product, 'settings'>;

/** Those that hold with these settings, in the order of the manifest. */
export const risksThatHold = (product: Described, risks: readonly Risk[] | undefined, settings: Settings): Risk[] =>
  (risks ?? []).filter(
    ({ when, unless }) =>
      when.every((name) => isSet(product, settings, name)) && !unless.some((name) => isSet(product, settings, name)),
  );

/** An address counts where it is beyond this machine; everything else where it has a value that is not false. */
const isSet = ({ settings: known }: Described, settings: Settings, name: string): boolean => {
  const value = settings[name] ?? '';
  const isAddress = known.some((setting) => setting.name === name && setting.type === 'address');
  return isAddress ? value !== '' && !isLoopback(String(value)) : value !== '' && value !== false;
};

/** Ids that stand twice, and settings that the product has not. */
export const checkRisks = (product: Product): RawFault[] => {
  const all = (['dangers', 'warnings'] as const).flatMap((key) =>
    (product[key] ?? []).map((risk, at) => ({ risk, path: [key, at] })),
  );
  const names = product.settings.filter(({ type }) => type !== 'secret').map(({ name }) => name);
  return all.flatMap(({ risk, path }, at): RawFault[] => {
    const isSecond = all.findIndex((other) => other.risk.id === risk.id) < at;
    const twice = { path: [...path, 'id'], what: `"${risk.id}" stands twice`, remedy: 'give each an id of its own' };
    const unknown = (['when', 'unless'] as const).flatMap((key) =>
      risk[key].flatMap((name, index): RawFault[] =>
        names.includes(name)
          ? []
          : [
              {
                path: [...path, key, index],
                what: `"${name}" is no setting`,
                remedy: suggestion(name, names, 'known'),
              },
            ],
      ),
    );
    return [...(isSecond ? [twice] : []), ...unknown];
  });
};
