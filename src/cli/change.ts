/**
 * Runs a change for a command: gives the domain its ports (who asks, who shows), watches for signals until the change has begun, and makes
 * one result of what came of it.
 *
 * Before the first step of the transaction an ending signal cancels; from then on the transaction decides, and a closed terminal
 * changes nothing.
 */

import type { Warning } from '../change/plan.ts';
import type { ChangeRequest, ChangeResult, Events, Ports } from '../change/request.ts';
import { instancePaths } from '../instance/paths.ts';
import { onEndingSignal } from '../system/signals.ts';
import { forgetOldCopies } from '../telemetry/old-copies.ts';
import { askerFor, isInteractive } from '../ui/asker.ts';
import type { Rendering } from '../ui/events.ts';
import { cancelled } from '../ui/prompts.ts';
import { renderingFor } from '../ui/rendering.ts';
import type { InstanceView } from '../ui/result.ts';
import { changedLines } from '../ui/views/changed.ts';
import type { InstanceName } from '../values.ts';
import { failedBehindNo } from './failed-behind-no.ts';
import { viewBehind } from './instance-view.ts';
import type { Ended, Invocation } from './invocation.ts';
import { refuseRoots } from './reading.ts';

/** Plans and performs a change. Throws its Failure. */
export const runChange = async (invocation: Invocation, request: ChangeRequest): Promise<Ended> => {
  const { conduct } = await import('../change/conduct.ts');
  if (request.kind !== 'install') refuseRoots(invocation.world, invocation.home, invocation.flags, request.instance);
  return withPorts(invocation, request.kind !== 'install', (ports) => conduct(ports, request));
};

/** Runs whatever needs the ports of a change, and makes its result and last screen. */
export const withPorts = async (
  invocation: Invocation,
  keepsPorts: boolean,
  work: (ports: Ports) => Promise<ChangeResult>,
): Promise<Ended> => {
  const { ports, rendering } = portsOf(invocation, keepsPorts);
  const watch = cancellable(rendering);
  const { events, warned } = remembering(watch.events);
  let named: InstanceName | undefined;
  const withdrawn = (name: InstanceName): void => {
    named = name;
  };
  try {
    const changed = await Promise.race([work({ ...ports, events, withdrawn }), watch.cancelled]);
    const instance = await instanceBehind(invocation, changed, events.warn);
    rendering.end();
    return ended(invocation, changed, instance, warned);
  } catch (error) {
    if (named === undefined) throw error;
    return failedBehindNo(invocation, named, error, warned);
  } finally {
    rendering.end();
    watch.off();
  }
};

/** The ports of a change as this call of the command has them. `keepsPorts`: the instance is there, and its ports are its own. */
export const portsOf = (invocation: Invocation, keepsPorts: boolean): { ports: Ports; rendering: Rendering } => {
  const { world, home, flags, look } = invocation;
  const rendering = renderingFor(world, look, flags);
  const asker = askerFor({ look, interactive: isInteractive(world, flags.json), keepsPorts, planShown: !flags.quiet });
  return { ports: { world, home, asker, events: rendering }, rendering };
};

/** What turned out to be worth a warning only on the way belongs into the document, too. */
export const remembering = (events: Events): { events: Events; warned: readonly Warning[] } => {
  const warned: Warning[] = [];
  const warn: Events['warn'] = (warning) => {
    warned.push(warning);
    events.warn(warning);
  };
  return { events: { ...events, warn }, warned };
};

const instanceBehind = async (
  invocation: Invocation,
  { state, changed }: ChangeResult,
  warn: Events['warn'],
): Promise<InstanceView | undefined> => {
  if (state === null) return undefined;
  forgetOldCopies(invocation.world, instancePaths(invocation.home, state.name));
  return viewBehind(invocation, { name: state.name, changed }, warn);
};

const ended = (
  { flags, look }: Invocation,
  changed: ChangeResult,
  instance: InstanceView | undefined,
  warned: readonly Warning[],
): Ended => {
  const { outcome, plan, warnings } = changed;
  return {
    result: {
      outcome,
      changed: changed.changed,
      ...(instance === undefined ? {} : { instance }),
      ...(instance?.consent === undefined ? {} : { consent: instance.consent }),
      ...(plan === null
        ? {}
        : {
            plan: plan.steps.map(({ id, step, title, undo, downtime, bytes }) => ({
              id,
              step,
              title,
              undo,
              downtime,
              bytes,
            })),
          }),
      ...(plan === null
        ? {}
        : { dangers: plan.dangers, space: plan.space, expectedDowntimeSeconds: plan.downtimeSeconds }),
      ...(changed.noticeId === null ? {} : { noticeId: changed.noticeId }),
      warnings: [...warnings, ...warned],
      ...(changed.setAside.length === 0 ? {} : { setAside: changed.setAside }),
      ...(changed.downtimeSeconds === null ? {} : { downtimeSeconds: changed.downtimeSeconds }),
    },
    screen: flags.quiet ? [] : changedLines(changed, instance, look),
  };
};

/** Until the change has begun a signal cancels; from then on, and until what came of it is told, it is not ours to end. */
export const cancellable = (rendering: Events): { events: Events; cancelled: Promise<never>; off: () => void } => {
  let begun = false;
  let off = () => {};
  const stopped = new Promise<never>((_, reject) => {
    off = onEndingSignal((signal) => {
      if (!begun && signal !== 'SIGHUP') reject(cancelled());
    });
  });
  stopped.catch(() => {});
  const stepStarted: Events['stepStarted'] = (step) => {
    begun ||= step.phase !== 'prepare';
    rendering.stepStarted(step);
  };
  return { events: { ...rendering, stepStarted }, cancelled: stopped, off };
};
