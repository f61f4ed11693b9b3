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
  (risks ?? []).filter((risk) => holds(product, risk, settings));

/** Every setting of `when` is set and none of `unless` is. */
export const holds = (
  product: Described,
  { when, unless }: { readonly when: readonly string[]; readonly unless: readonly string[] },
  settings: Settings,
): boolean =>
  when.every((name) => isSet(product, settings, name)) && !unless.some((name) => isSet(product, settings, name));

/** An address counts where it is beyond this machine; everything else where it has a value that is not false. */
const isSet = ({ settings: known }: Described, settings: Settings, name: string): boolean => {
  const value = settings[name] ?? '';
  const isAddress = known.some((setting) => setting.name === name && setting.type === 'address');
  return isAddress ? value !== '' && !isLoopback(String(value)) : value !== '' && value !== false;
};

/** Ids that stand twice, and settings that the product has not: in risks and in the conditions of doctor's checks. */
export const checkRisks = (product: Product): RawFault[] => {
  const risks = (['dangers', 'warnings'] as const).flatMap((key) =>
    (product[key] ?? []).map((risk, at) => ({ risk, path: [key, at] })),
  );
  const twice = risks.flatMap(({ risk, path }, at): RawFault[] => {
    const isSecond = risks.findIndex((other) => other.risk.id === risk.id) < at;
    const what = `"${risk.id}" stands twice`;
    return isSecond ? [{ path: [...path, 'id'], what, remedy: 'give each an id of its own' }] : [];
  });
  const checks = (product.doctor ?? []).map((check, at) => ({ risk: check, path: ['doctor', at] }));
  const names = product.settings.filter(({ type }) => type !== 'secret').map(({ name }) => name);
  const unknown = [...risks, ...checks].flatMap(({ risk, path }) =>
    (['when', 'unless'] as const).flatMap((key) =>
      risk[key].flatMap((name, index): RawFault[] => {
        if (names.includes(name)) return [];
        const remedy = suggestion(name, names, 'known').replace(/\.$/, '');
        return [{ path: [...path, key, index], what: `"${name}" is no setting`, remedy }];
      }),
    ),
  );
  return [...twice, ...unknown];
};
