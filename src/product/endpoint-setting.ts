/**
 * `telemetry.endpoint`: the one setting that every product with counters has without declaring it. With it an admin names a collector of their own, or
 * nobody, whatever the product says. It is part of the notice, so another endpoint makes another id, and no yes reaches from one to the other.
 */

import { Failure } from '../errors.ts';
import { endpointSetting } from '../values.ts';
import type { Product } from './manifest.ts';
import { isSafeUrl } from './network-names.ts';
import type { Settings } from './settings.ts';
import { shown } from './wording.ts';

/** Whoever counts nothing has nobody to send it to. */
export const hasEndpoint = ({ telemetry }: Pick<Product, 'telemetry'>): boolean => telemetry !== undefined;

/** An address, `none`, or undefined for whom the product names. A text that is neither is 'usage-setting'. */
export const endpointOf = (
  product: Pick<Product, 'telemetry'>,
  text: string | undefined,
  before: Settings,
  place = '--set',
): string | undefined => {
  if (!hasEndpoint(product) || text === 'product') return undefined;
  if (text === undefined) return typeof before[endpointSetting] === 'string' ? before[endpointSetting] : undefined;
  if (text === 'none' || isSafeUrl(text)) return text;
  throw new Failure(
    'usage-setting',
    `${place}: ${endpointSetting} is ${shown(text)}, which is no address that a report may go to.`,
    'Give an https:// address (plain http only for 127.0.0.1 or [::1]), "none" for nobody, or "product" for whom the product names.',
  );
};
