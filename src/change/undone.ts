/**
 * What people are told when a change did not hold: that everything is as it was (exit 6), or, where the undo failed too,
 * a runbook: what is where, and what to type (exit 7).
 */

import { join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { statIfThere } from '../system/files.ts';
import type { ChangeContext } from './context.ts';
import type { Step } from './plan.ts';
import { backupOf, setAsideOf } from './steps/parts.ts';

export const undoneFailure = (ctx: ChangeContext, cause: unknown): Failure => {
  const { plan, before } = ctx.opening;
  const aside = setAsideOf(ctx.paths, ctx.opening.backup);
  const kept =
    statIfThere(aside) === undefined ? '' : ` What the new release wrote is set aside in ${aside} for 30 days.`;
  return new Failure(
    'change-undone',
    `The ${plan.kind} of ${plan.instance} failed and was undone: ${messageOf(cause)}`,
    `${before?.installed ? foundAgain(ctx) : 'Nothing is installed; only logs were kept.'}${kept} The log of what failed: ${logOf(ctx)}. Mend the cause and try again.`,
    cause,
  );
};

const logOf = ({ opening, paths, world }: ChangeContext): string => {
  if (opening.after.supervisor !== 'systemd') return join(paths.logs, 'server.log');
  return `journalctl ${world.user.uid === 0 ? '' : '--user '}-u assent-${paths.name}`;
};

const foundAgain = (ctx: ChangeContext): string => {
  const { found, before } = ctx.opening;
  const release = `${before?.title} ${before?.release.version} with its data and configuration is back`;
  if (!found.running) return `${release}, stopped as it was found.`;
  return found.healthy ? `${release}, running and healthy.` : `${release}, running, and as unhealthy as it was found.`;
};

/** The undo failed at a step (undefined: while tidying up). The journal is open still; `recover` tries again. */
export const stuckFailure = (ctx: ChangeContext, at: Step | undefined, cause: unknown, error: unknown): Failure => {
  const { opening, paths } = ctx;
  const lines = [
    `The ${opening.kind} of ${opening.plan.instance} failed (${messageOf(cause)}), and undoing it failed too`,
    `at "${at?.title ?? 'tidying up'}": ${messageOf(error)}`,
  ];
  const runbook = [
    'What is where:',
    `  journal of the change         ${paths.openJournal}`,
    `  data, configuration of before ${backupOf(paths, opening.backup)} (where a part is missing there, it is in its own place)`,
    `  written by the new release    ${setAsideOf(paths, opening.backup)}`,
    `  release of before             ${opening.before === null ? 'none' : `${paths.home}/releases/${opening.before.release.product}/${opening.before.release.version}-${opening.before.release.digest}`}`,
    'What to do:',
    '  1. Mend the cause named above (space, permissions, a port that is taken).',
    `  2. assent recover ${opening.plan.instance} --undo`,
    '  Until then status, logs and telemetry work, and nothing else changes this instance.',
  ];
  return new Failure('change-stuck', lines.join(' '), runbook.join('\n'), error);
};
