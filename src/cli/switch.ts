/** `start`, `stop`, `restart`: one call into the domain, then a look at what came of it. */

import { instancePaths } from '../instance/paths.ts';
import { forgetOldCopies } from '../telemetry/old-copies.ts';
import { instanceLines } from '../ui/views/instance.ts';
import { portsOf, remembering } from './change.ts';
import { viewBehind } from './instance-view.ts';
import type { Ended, Invocation } from './invocation.ts';
import { pickOwn } from './reading.ts';

export const switchServer = async (invocation: Invocation, kind: 'start' | 'stop' | 'restart'): Promise<Ended> => {
  const { power } = await import('../change/power.ts');
  const { world, home, flags, look, operands } = invocation;
  const name = await pickOwn(world, home, flags, operands[0]);
  const { ports } = portsOf(invocation, true);
  const paths = instancePaths(home, name);
  const { events, warned } = remembering(ports.events);
  const changed = await power({ ...ports, events }, paths, kind);
  forgetOldCopies(world, paths);
  const instance = await viewBehind(invocation, { name, changed }, events.warn);
  const told = { ...(changed ? {} : { outcome: 'unchanged' as const }), changed, warnings: warned };
  if (instance === undefined) return { result: told, screen: [] };
  const consent = instance.consent === undefined ? {} : { consent: instance.consent };
  return { result: { ...told, instance, ...consent }, screen: flags.quiet ? [] : instanceLines(instance, look) };
};
