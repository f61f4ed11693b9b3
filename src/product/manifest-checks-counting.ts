/**
 * Counters that nothing could ever raise are a question asked in vain: admins would say yes, `status` would say that it collects, and every
 * number would stay 0. What counts is either loaded into the server, which goes for the private Node alone, or reads what the server writes or sends.
 */

import type { Path, RawFault } from './located-yaml.ts';
import type { Product, Release } from './manifest.ts';

/** Faults of a release whose requests nobody would see. */
export const checkCounting = ({ telemetry }: Product, { service }: Release, path: Path): RawFault[] => {
  if (telemetry === undefined || telemetry.accessLog !== undefined || isNode(service.command[0] ?? '')) return [];
  return [
    {
      path: [...path, 'service', 'command', 0],
      what: 'counts nothing: "telemetry" has counters, and only {{node}} itself is counted from inside',
      remedy:
        'begin with {{node}} and its script; or name the server\'s log or socket in "accessLog" of "telemetry"; or remove "telemetry"',
    },
  ];
};

/** Templates escape nothing, so that every way to write the name is the same. */
const isNode = (program: string): boolean => /^\{\{[{&]?\s*node\s*\}?\}\}$/.test(program);
