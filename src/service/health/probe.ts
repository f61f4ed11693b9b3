/** One look at a server by one check: what every kind of check implements. */

import type { ServiceSpec } from '../spec.ts';

export interface Finding {
  readonly ok: boolean;
  /** What was seen, for people; never a secret. */
  readonly detail: string;
  /** The version that the server told, where it tells one there. */
  readonly version?: string;
}

/** May throw the system's error (ECONNREFUSED): that is a finding too, and made one by the caller. */
export type Probe<Check> = (
  check: Check,
  how: { readonly spec: ServiceSpec; readonly timeoutMs: number },
) => Promise<Finding>;
