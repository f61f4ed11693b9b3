/**
 * The plan: what a change is going to do, as pure data. The dry run, the JSON, the last question, the progress display and
 * the journal all show this one plan.
 *
 * Three phases. `prepare` makes everything slow while the old server still answers, and changes nothing that counts; `change`
 * is the transaction, from the journal's opening entry to its commit, with an undo for every step; `after` tidies up behind the commit.
 */

import type { ReleaseRef } from '../instance/state.ts';
import type { InstanceName } from '../values.ts';

export type ChangeKind = 'install' | 'reinstall' | 'upgrade' | 'rollback' | 'uninstall';

export type PrepareStepKind = 'fetch' | 'runtime' | 'program' | 'render' | 'first-copy' | 'rehearse';
export const changeSteps = [
  'generation',
  'account',
  'stop',
  'second-copy',
  'data',
  'config',
  'current',
  'state',
  'service',
  'consent',
  'start',
  'health',
  'rest',
] as const;
export type ChangeStepKind = (typeof changeSteps)[number];
export type AfterStepKind = 'trial' | 'purge' | 'digests' | 'prune';
export type StepKind = PrepareStepKind | ChangeStepKind | AfterStepKind;

export interface Step {
  /** Unique within the plan; the same as `step` today. */
  readonly id: string;
  readonly step: StepKind;
  readonly phase: 'prepare' | 'change' | 'after';
  /** What it does, for people. */
  readonly title: string;
  /** How it is undone, for people; null where there is nothing to undo. */
  readonly undo: string | null;
  /** True if the server does not answer while the step runs. */
  readonly downtime: boolean;
  /** Bytes that the step loads or writes; 0 where it is not worth a word. */
  readonly bytes: number;
}

/** Something that can't be taken back or may break the server. It is accepted by its id and by nothing else. */
export interface Danger {
  readonly id: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Warning {
  readonly id: string;
  readonly message: string;
  readonly remedy: string;
}

/** What a change needs of one filesystem, in bytes and inodes, and what is free there. */
export interface SpaceNeed {
  readonly mount: string;
  readonly bytes: number;
  readonly inodes: number;
  readonly freeBytes: number;
  readonly freeInodes: number | null;
}

export interface Plan {
  readonly format: 1;
  readonly kind: ChangeKind;
  readonly instance: InstanceName;
  /** `MailDev 3.0.0`. */
  readonly title: string;
  readonly from: ReleaseRef | null;
  readonly to: ReleaseRef | null;
  /** The generation that the change begins. */
  readonly generation: number;
  /** Digest of the state and configuration that the plan was made from, taken before they were read. */
  readonly stateDigest: string;
  readonly steps: readonly Step[];
  readonly dangers: readonly Danger[];
  readonly warnings: readonly Warning[];
  readonly space: readonly SpaceNeed[];
  /** Expected seconds without an answer; 0 where no server runs. */
  readonly downtimeSeconds: number;
}

/** What the planner knows about the world. Gathered by survey.ts; the plan depends on nothing else. */
export interface Facts {
  readonly kind: ChangeKind;
  readonly instance: InstanceName;
  readonly productTitle: string;
  readonly from: ReleaseRef | null;
  readonly to: ReleaseRef | null;
  readonly generation: number;
  readonly stateDigest: string;
  readonly dangers: readonly Danger[];
  readonly warnings: readonly Warning[];
  readonly space: readonly SpaceNeed[];
  /** True if the release has to be fetched and stored first. */
  readonly fetch: { packages: number; download: number; installed: number } | null;
  readonly runtime: { version: string; bytes: number } | null;
  readonly program: boolean;
  /** Data to copy; null where there is none yet. */
  readonly data: { bytes: number; files: number; from: 'now' | 'then' } | null;
  /** True if the release is tried on a copy first. */
  readonly rehearses: boolean;
  readonly account: string | null;
  readonly wasRunning: boolean;
  readonly staysRunning: boolean;
  readonly supervised: boolean;
  readonly configFiles: number;
  readonly asksConsent: boolean;
  readonly purge: boolean;
  /** For how long the release is on trial; 0 where it is not. */
  readonly trialMinutes: number;
  /** True if what is left becomes what a rollback goes back to. */
  readonly keepsBackup: boolean;
  readonly stopSeconds: number;
  readonly startSeconds: number;
}

/** The plan for these facts. Pure: the same facts give the same plan. */
export const assemblePlan = (facts: Facts): Plan => ({
  format: 1,
  kind: facts.kind,
  instance: facts.instance,
  title: facts.to === null ? facts.productTitle : `${facts.productTitle} ${facts.to.version}`,
  from: facts.from,
  to: facts.to,
  generation: facts.generation,
  stateDigest: facts.stateDigest,
  steps: facts.kind === 'uninstall' ? uninstallSteps(facts) : installSteps(facts),
  dangers: facts.dangers,
  warnings: facts.warnings,
  space: facts.space,
  downtimeSeconds: facts.wasRunning ? downtimeOf(facts) : 0,
});

const installSteps = (facts: Facts): Step[] => {
  const steps: (Step | false | null)[] = [
    facts.fetch &&
      prepare(
        'fetch',
        `${nameOf(facts)}, ${facts.fetch.packages === 1 ? 'one package' : `${facts.fetch.packages} packages, each`} checked by its hash`,
        facts.fetch.download,
      ),
    facts.runtime && prepare('runtime', `private Node ${facts.runtime.version}`, facts.runtime.bytes),
    facts.program && prepare('program', 'a verified copy of Assent, for what outlives this command', 0),
    prepare(
      'render',
      `${facts.configFiles === 1 ? 'one configuration file' : `${facts.configFiles} configuration files`}, local edits merged`,
      0,
    ),
    facts.data && prepare('first-copy', `copy the data of ${facts.data.from}, while the server runs`, facts.data.bytes),
    facts.rehearses &&
      prepare(
        'rehearse',
        `try ${facts.to?.version} on a copy, in a network that leads nowhere`,
        facts.data?.bytes ?? 0,
      ),
    change('generation', 'open the journal; an earlier yes to telemetry ends', 'consent stays ended, a no stays a no'),
    facts.account !== null && change('account', `make the system user ${facts.account}`, 'remove it again'),
    facts.wasRunning && stopping(facts),
    facts.data?.from === 'now' && change('second-copy', 'copy what has changed since', 'remove the copy', true),
    change('data', dataTitle(facts), 'rename it back; what was written since is set aside', facts.wasRunning),
    change('config', 'switch to the new configuration', 'rename the old one back', facts.wasRunning),
    change('current', `switch to ${nameOf(facts)}`, switchBack(facts), facts.wasRunning),
    change('state', 'write the state file', 'write the old one', facts.wasRunning),
    change('consent', consentTitle(facts), 'a yes is void', facts.wasRunning),
    facts.supervised && change('service', 'write the service', 'write the old one', facts.wasRunning),
    change('start', 'start the server', 'stop it', facts.wasRunning),
    change('health', 'speak with it until it has been healthy for some seconds', null),
    !facts.staysRunning && change('rest', 'stop it again', null),
    facts.trialMinutes > 0 && after('trial', trialTitle(facts)),
    facts.keepsBackup && after('digests', 'write down what the backup is, so that it can be checked'),
    after('prune', 'remove releases and backups that nothing needs any more'),
  ];
  return steps.filter((step): step is Step => Boolean(step));
};

const uninstallSteps = (facts: Facts): Step[] => {
  const steps: (Step | false)[] = [
    change('generation', 'open the journal; an earlier yes to telemetry ends', 'consent stays ended, a no stays a no'),
    facts.wasRunning && { ...stopping(facts), undo: 'start it again' },
    facts.supervised && change('service', 'remove the service', 'write it again'),
    change('current', 'unlink the release', 'link it again'),
    change('state', 'write the state file: not installed', 'write the old one'),
    change('consent', consentTitle(facts), 'a yes is void'),
    facts.purge && after('purge', 'delete data, configuration, secrets, backups, logs and the consent log'),
    after('prune', 'remove releases and backups that nothing needs any more'),
  ];
  return steps.filter((step): step is Step => Boolean(step));
};

const prepare = (step: PrepareStepKind, title: string, bytes: number): Step => ({
  id: step,
  step,
  phase: 'prepare',
  title,
  undo: null,
  downtime: false,
  bytes,
});

const change = (step: ChangeStepKind, title: string, undo: string | null, downtime = false): Step => ({
  id: step,
  step,
  phase: 'change',
  title,
  undo,
  downtime,
  bytes: 0,
});

const after = (step: AfterStepKind, title: string): Step => ({
  id: step,
  step,
  phase: 'after',
  title,
  undo: null,
  downtime: false,
  bytes: 0,
});

const stopping = (facts: Facts): Step =>
  change('stop', `stop ${facts.from?.version ?? 'the server'} and wait until it is gone`, 'start it again', true);

const nameOf = (facts: Facts): string => `${facts.productTitle} ${facts.to?.version ?? ''}`.trim();

const dataTitle = (facts: Facts): string => {
  if (facts.data === null) return 'make the data folder';
  return facts.data.from === 'then'
    ? 'switch to the data of then; the data of now is kept as a backup'
    : 'switch to the copy; the untouched original is the backup';
};

const switchBack = (facts: Facts): string => (facts.from === null ? 'unlink it' : `link ${facts.from.version} again`);

const consentTitle = (facts: Facts): string =>
  facts.asksConsent ? 'record the answer about telemetry, for this generation' : 'record that nobody was asked';

const trialTitle = ({ trialMinutes, from, to }: Facts): string =>
  `put ${to?.version} on trial for ${trialMinutes} minutes: if it fails, ${from?.version} comes back by itself`;

/** The server's own stop and start, and half a second of ours; what it really was is on the last screen. */
const downtimeOf = (facts: Facts): number => facts.stopSeconds + facts.startSeconds + 0.5;
