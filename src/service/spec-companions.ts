/**
 * Companions: Assent's own commands that run beside a server, and only after a yes: who reads its access log, and who sends reports. Pure.
 *
 * They are data: the words behind the program. A unit puts the verified copy of Assent before them, a supervisor that runs them itself its own.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { StoredSettings } from '../instance/state.ts';
import type { Product } from '../product/manifest.ts';
import { endpointSetting } from '../values.ts';

export interface Companions {
  /** Counts from the access log, as the server's account. Null where the product has none. */
  readonly follow: readonly string[] | null;
  /** Sends what is due, and ends. Null where nobody receives reports. */
  readonly send: readonly string[] | null;
}

export const companionsOf = (
  { telemetry }: Pick<Product, 'telemetry'>,
  settings: StoredSettings,
  { name, home }: Pick<InstancePaths, 'name' | 'home'>,
): Companions => {
  if (telemetry === undefined) return { follow: null, send: null };
  const { accessLog } = telemetry;
  const endpoint = settings[endpointSetting] ?? telemetry.recipient;
  return {
    follow: accessLog === undefined ? null : ['telemetry', 'follow', name, '--home', home],
    send: endpoint === 'none' ? null : ['telemetry', 'send', name, '--home', home, '--scheduled'],
  };
};
