/**
 * The server itself: stop, service definition, start, health. Undoing the stop starts what was found, and holds it to
 * the same gate if it was healthy then; a server that was already unhealthy only has to be started. One that was healthy, but
 * whose configuration somebody had changed since its start, is watched, and told of where it is not healthy with that.
 */

import { removeCompanions } from '../../service/companions.ts';
import { gate } from '../../service/health.ts';
import { readBackTelemetry } from '../../service/own-telemetry.ts';
import type { ServiceSpec } from '../../service/spec.ts';
import type { ChangeContext } from '../context.ts';
import { reasonOf, Unhealthy } from '../unhealthy.ts';
import type { StepWork } from './table.ts';

export const stopStep: StepWork = {
  do: async (ctx) => {
    ctx.times.downAt = performance.now();
    // Either spec names the same server.
    await ctx.supervisor.stop(must(ctx.specBefore ?? ctx.specAfter));
  },
  undo: async (ctx) => {
    const { running, healthy, untried = [] } = ctx.opening.found;
    if (!running) return;
    const spec = ctx.specBefore;
    if (spec === null) return tellGone(ctx);
    if (healthy !== true) return startAsFound(ctx, spec);
    if (untried.length > 0) return startUntried(ctx, spec);
    await ctx.supervisor.start(spec);
    await mustBeHealthy(ctx, spec);
  },
};

/** Its release was missing when the change began. */
const tellGone = ({ opening, paths, events }: ChangeContext): void =>
  events.warn({
    id: 'not-started',
    message: `The server was not started again: its release, ${opening.before?.title} ${opening.before?.release.version}, is missing.`,
    remedy: `Store it again: assent reinstall ${paths.name}.`,
  });

/** It was unhealthy when the change began, and may well not start at all: that is what was found, and no reason to be stuck. */
const startAsFound = async (ctx: ChangeContext, spec: ServiceSpec): Promise<void> => {
  try {
    await ctx.supervisor.start(spec);
  } catch (error) {
    ctx.events.warn({
      id: 'not-started',
      message: `The server of before was unhealthy, and does not start now: ${reasonOf(error)}`,
      remedy: `See its log: assent logs ${spec.instance}.`,
    });
  }
};

/** Everything is back as it was found, and nobody has ever seen it healthy like that: there is nothing left to undo. */
const startUntried = async (ctx: ChangeContext, spec: ServiceSpec): Promise<void> => {
  try {
    await ctx.supervisor.start(spec);
    await mustBeHealthy(ctx, spec);
  } catch (error) {
    ctx.putBack.unhealthy = reasonOf(error);
  }
};

export const serviceStep: StepWork = {
  do: async (ctx) => {
    if (ctx.specAfter === null) {
      await removeCompanions(must(ctx.specBefore));
      await ctx.supervisor.remove(must(ctx.specBefore));
    } else await ctx.supervisor.install(ctx.specAfter);
  },
  undo: async (ctx) => {
    if (ctx.specBefore !== null) await ctx.supervisor.install(ctx.specBefore);
    else if (ctx.specAfter !== null) await ctx.supervisor.remove(ctx.specAfter);
  },
};

export const startStep: StepWork = {
  do: async (ctx) => ctx.supervisor.start(must(ctx.specAfter)),
  // The one whose release has gone is stopped by the other. Where both have gone, nothing of ours could start it: the folder was brought here from elsewhere.
  undo: async (ctx) => {
    const spec = ctx.specAfter ?? ctx.specBefore;
    if (spec !== null) await ctx.supervisor.stop(spec);
  },
};

export const healthStep: StepWork = {
  do: async (ctx) => {
    const spec = must(ctx.specAfter);
    await ctx.supervisor.start(spec);
    await mustBeHealthy(ctx, spec);
    await tellDisobedience(ctx, spec);
  },
  undo: async () => undefined,
};

export const restStep: StepWork = {
  do: async (ctx) => ctx.supervisor.stop(must(ctx.specAfter)),
  undo: async () => undefined,
};

const mustBeHealthy = async (ctx: ChangeContext, spec: ServiceSpec): Promise<void> => {
  const began = performance.now();
  const report = await gate(ctx.supervisor, spec);
  if (report.firstGoodMs !== undefined) ctx.times.upAt = began + report.firstGoodMs;
  if (report.healthy) return;
  throw new Unhealthy(report.reason ?? 'it did not become healthy', await logTail(ctx, spec));
};

/** A server that does not keep its own telemetry off is reported; its change is not failed for it. */
const tellDisobedience = async (ctx: ChangeContext, spec: ServiceSpec): Promise<void> => {
  const reading = await readBackTelemetry(spec);
  if (reading === undefined || reading.obeyed === true) return;
  ctx.events.warn({
    id: 'own-telemetry',
    message: `The server's own telemetry: ${reading.detail}`,
    remedy: 'Assent told it to be off. Look into its own settings, and see: assent doctor.',
  });
};

const logTail = async (ctx: ChangeContext, spec: ServiceSpec): Promise<string> => {
  const lines: string[] = [];
  for await (const line of ctx.supervisor.logs(spec, { lines: 12, follow: false })) lines.push(line);
  return lines.join('\n');
};

const must = (spec: ServiceSpec | null): ServiceSpec => {
  if (spec === null) throw new Error('this step needs a service that the plan does not have');
  return spec;
};
