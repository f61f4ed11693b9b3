/**
 * The rehearsal: while the old server still answers, the new release is started on a copy of data, configuration and secrets, in the
 * instance's place but in namespaces of its own, watched by the same gate that will decide about the change, and thrown away. What would have
 * failed with the server stopped is refused with the server running.
 *
 * A copied mail queue must not be sent, so the network leads nowhere; and nothing but the copy can be written. Nothing of telemetry
 * is copied: neither consent nor what was counted. That a rehearsal can't be made is a warning, and never fails a change.
 */

import { dirname, join } from 'node:path';
import { Failure, messageOf } from '../../errors.ts';
import { type Scratch, withScratch } from '../../instance/scratch.ts';
import { type InstanceState, writeState } from '../../instance/state.ts';
import type { RehearsalCopy } from '../../product/manifest.ts';
import { render } from '../../product/template.ts';
import { ensureProgram, type Program } from '../../release/program.ts';
import { findStored } from '../../release/store.ts';
import { environmentOfService } from '../../service/environment.ts';
import { hostOf, viewOfService } from '../../service/spec.ts';
import { makeFolder, replaceLink } from '../../system/files.ts';
import { run } from '../../system/processes.ts';
import { backupDatabases } from '../../system/sqlite.ts';
import type { Staging } from '../stage.ts';
import { linkTo } from '../steps/state.ts';
import { withLog } from '../unhealthy.ts';
import type { RehearsalAnswer, RehearsalOrder, RehearsalReport } from './inside.ts';

/** Throws 'refused-rehearsal' where the release does not get well on the copy. A rehearsal that was stopped says nothing. */
export const rehearse = async (staging: Staging): Promise<void> => {
  const { ports, target, until } = staging;
  let report: RehearsalReport;
  try {
    report = await onCopy(staging);
  } catch (error) {
    if (until.aborted) return;
    const message = `${target.product.title} ${target.to.version} could not be tried on a copy: ${messageOf(error)}`;
    const remedy = error instanceof Failure ? error.advice.replace(/ ?Nothing was changed\.$/, '') : tryAnyhow;
    ports.events.warn({ id: 'no-rehearsal', message: ended(message), remedy });
    return;
  }
  if (!report.healthy) throw refusal(staging, report);
};

const tryAnyhow = 'The change goes on: what fails is undone.';

const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const refusal = ({ target, plan, found }: Staging, { reason, log }: RehearsalReport): Failure => {
  const { product, to, before, paths } = target;
  return new Failure(
    'refused-rehearsal',
    withLog(
      `${product.title} ${to.version} was tried on a copy of ${paths.name}, and it would fail: ${reason ?? 'it is not healthy'}.`,
      log,
    ),
    `Nothing was changed; ${before?.title ?? product.title} ${before?.release.version ?? ''} still ${found.healthy ? 'answers' : 'runs as it was found'}. In the trial no network led anywhere, and nothing but the copy could be written. To do it all the same: assent ${plan.kind} ${paths.name} --no-rehearsal.`,
  );
};

const onCopy = async (staging: Staging): Promise<RehearsalReport> => {
  const { ports, target, found, until } = staging;
  const { world, home } = ports;
  const copy = found.rehearsal !== null && 'copy' in found.rehearsal ? found.rehearsal.copy : undefined;
  if (copy === undefined) throw new Error('the plan has a rehearsal that the survey has not');
  const program = await ensureProgram(world, home);
  const options = {
    without: [],
    empty: ['logs', 'run', 'journal'],
    only: { ...partsOfNext, ...(copy.kind === 'command' ? {} : { 'data.next': 'data' }) },
  };
  return withScratch(world, target.paths, options, async (scratch) => {
    await mendData[copy.kind](staging, scratch, program, copy as never);
    putState(staging, scratch);
    until.throwIfAborted();
    return inside(staging, scratch, program);
  });
};

const partsOfNext = { 'config.next': 'config', 'secrets.next': 'secrets' } as const;

type Mend<Copy> = (staging: Staging, scratch: Scratch, program: Program, copy: Copy) => Promise<void>;

/** Makes of a plain copy one that a server could have left behind by stopping. */
const mendData = {
  appended: async () => {},
  sqlite: async ({ target, account }, { instance }, program, { databases }) => {
    const as = account === null ? undefined : { uid: account.uid, gid: account.gid };
    await backupDatabases(program, { from: target.paths.data, to: join(instance, 'data'), patterns: databases, as });
  },
  command: async ({ ports, target, found, account }, { instance }, _, { command }) => {
    const owner = account === null ? {} : { owner: { uid: account.uid, gid: account.gid } };
    const folder = join(instance, 'data');
    makeFolder(folder, { mode: 0o700, ...owner });
    const { before, from, paths } = target;
    const stored = from === null ? undefined : findStored(ports.home, from.product, from.version, from.digest);
    if (before === null || stored === undefined || found.specBefore === null)
      throw new Error('nothing runs to be copied');
    const view = viewOfService(hostOf(ports.world, null), before, stored, paths);
    const words = command.map((word) => render(word, view, 'rehearsal.copy.command'));
    const env = environmentOfService(found.specBefore);
    const { code, signal, stderr } = await run(words, { cwd: folder, env, timeoutMs: copyPatienceMs, ...owner });
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${signal ?? code}: ${stderr.trim().slice(-500)}`);
  },
} as const satisfies { [Kind in RehearsalCopy['kind']]: Mend<Extract<RehearsalCopy, { kind: Kind }>> };

const copyPatienceMs = 600_000;

/** The copy is the instance as it would be afterwards, under a veto: whatever asks about telemetry is told no. */
const putState = ({ target, after }: Staging, { instance }: Scratch): void => {
  const paths = { ...target.paths, state: join(instance, 'instance.json') };
  // Where systemd keeps the server running there is none.
  makeFolder(join(instance, 'run'));
  const state: InstanceState = { ...after, supervisor: 'process', veto: after.veto ?? '1' };
  writeState(paths, state);
  replaceLink(linkTo(target.to), join(instance, 'current'));
};

/** A release that is to be tried in a copy that has its state, and what ends the trial. */
export interface Trial {
  readonly ports: { readonly home: string };
  readonly target: Pick<Target, 'paths' | 'release'>;
  readonly until: AbortSignal;
}

/** Starts what the copy's state says in it, and watches it. Throws where that came to no end. */
export const inside = async (trial: Trial, scratch: Scratch, program: Program): Promise<RehearsalReport> => {
  const { ports, target, until } = trial;
  const order: RehearsalOrder = { home: ports.home, name: target.paths.name };
  const timeoutMs = patienceMs(target);
  const result = await scratch.run([program.node, join(dirname(program.main), 'rehearse-child.mjs')], {
    input: JSON.stringify(order),
    timeoutMs,
    until,
    sealed: true,
  });
  until.throwIfAborted();
  if (result.timedOut) throw new Error(`it came to no end within ${Math.round(timeoutMs / 1000)} s`);
  const answer = parsed(result.stdout);
  if (answer === undefined)
    throw new Error(result.stderr.trim().slice(-500) || `it broke off with code ${result.code}`);
  if ('error' in answer) throw new Error(answer.error);
  return answer.report;
};

/** Everything in it has a deadline of its own; this one is for what hangs nevertheless. */
const patienceMs = ({ release }: Trial['target']): number => {
  const { startSeconds, prepare } = release.service;
  return ((prepare.length + 2) * startSeconds + release.health.stableSeconds + 120) * 1000;
};

type Target = Staging['target'];

const parsed = (text: string): RehearsalAnswer | undefined => {
  try {
    return JSON.parse(text) as RehearsalAnswer;
  } catch {
    return undefined;
  }
};
