/**
 * What people are told when a change did not hold: that everything is as it was (exit 6), or, where the undo failed too,
 * a runbook: what is where, and what to type (exit 7).
 */

import { join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { recoveryCommand } from '../instance/recovery-copy.ts';
import { statIfThere } from '../system/files.ts';
import type { ChangeContext } from './context.ts';
import type { Step, Warning } from './plan.ts';
import { backupOf, setAsideOf } from './steps/parts.ts';
import { reasonOf, Unhealthy, withLog } from './unhealthy.ts';

export const undoneFailure = (ctx: ChangeContext, cause: unknown): Failure => {
  const { plan, before } = ctx.opening;
  const aside = setAsideOf(ctx.paths, ctx.opening.backup);
  const kept =
    statIfThere(aside) === undefined ? '' : ` What the new release wrote is set aside in ${aside} for 30 days.`;
  return new Failure(
    'change-undone',
    `The ${plan.kind} of ${plan.instance} failed and was undone: ${messageOf(cause)}`,
    `${before?.installed ? foundAgain(ctx) : notInstalled(ctx)}${kept} The log of what failed: ${logOf(ctx)}. Mend the cause and try again.`,
    cause,
  );
};

const notInstalled = ({ opening, paths }: ChangeContext): string =>
  opening.before === null
    ? 'Nothing is installed; only logs were kept.'
    : `Nothing is installed, as before; what the uninstall had kept is as it was, in ${paths.folder}.`;

const logOf = ({ opening, paths, world }: ChangeContext): string => {
  if (opening.after.supervisor !== 'systemd') return join(paths.logs, 'server.log');
  return `journalctl ${world.user.uid === 0 ? '' : '--user '}-u assent-${paths.name}`;
};

const foundAgain = (ctx: ChangeContext): string => {
  const { found, before } = ctx.opening;
  const release = `${before?.title} ${before?.release.version} with its data and configuration is back`;
  if (!found.running) return `${release}, stopped as it was found.`;
  if (ctx.specBefore === null)
    return `${release}, and stopped: its release is missing. Store it again: assent reinstall ${ctx.paths.name}.`;
  const { unhealthy } = ctx.putBack;
  if (unhealthy !== null) return `${release}, but it is not healthy: ${unhealthy}. ${untriedEdits(ctx)}`;
  return found.healthy ? `${release}, running and healthy.` : `${release}, running, and as unhealthy as it was found.`;
};

/** For a `recover`, which has undone and so does not fail; undefined where the server is as it was found. */
export const putBackWarning = (ctx: ChangeContext): Warning | undefined => {
  const { unhealthy } = ctx.putBack;
  if (unhealthy === null) return undefined;
  return {
    id: 'not-healthy',
    message: `The server of before is not healthy: ${unhealthy}.`,
    remedy: untriedEdits(ctx),
  };
};

const untriedEdits = ({ opening, paths }: ChangeContext): string => {
  const files = (opening.found.untried ?? []).map((file) => join(paths.config, file)).join(', ');
  return `${files} was changed after that server had been started, and is as you left it. Mend it, then: assent restart ${paths.name}.`;
};

/** The undo failed at a step (undefined: while tidying up). The journal is open still; `recover` tries again. */
export const stuckFailure = (ctx: ChangeContext, at: Step | undefined, cause: unknown, error: unknown): Failure => {
  const { opening, paths } = ctx;
  const log = [error, cause].find((each) => each instanceof Unhealthy)?.log ?? '';
  const lines = [
    `The ${opening.kind} of ${opening.plan.instance} failed (${reasonOf(cause)}), and undoing it failed too`,
    `at "${at?.undo ?? at?.title ?? 'tidying up'}": ${reasonOf(error)}`,
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
    `     or, where that Assent is gone: ${recoveryCommand(paths)} recover ${opening.plan.instance} --undo`,
    '  Until then status, logs and telemetry work, and nothing else changes this instance.',
  ];
  return new Failure('change-stuck', withLog(lines.join(' '), log), runbook.join('\n'), error);
};
