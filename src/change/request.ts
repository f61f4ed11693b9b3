/**
 * What somebody wants changed, as the command line or an answers file says it; and what came of it.
 *
 * `ask -> plan -> transaction` is conducted by conduct.ts. Questions and progress are ports: the domain neither knows a
 * terminal nor a JSON document.
 */

import type { Notice } from '../consent/notice.ts';
import type { Answer as ConsentAnswer } from '../consent/resolver.ts';
import type { InstanceState, SupervisorKind } from '../instance/state.ts';
import type { FailedTrial } from '../instance/trial.ts';
import type { Product } from '../product/manifest.ts';
import type { Setting } from '../product/settings.ts';
import type { World } from '../system/world.ts';
import type { InstanceName, NoticeId } from '../values.ts';
import type { ChangeKind, Danger, Plan, Step, Warning } from './plan.ts';

/** Whose data a rollback takes: as the release before left them, or as they are. */
export type DataOf = 'then' | 'now';

export interface DataChoice {
  readonly of: DataOf;
  /** What follows from it, for people. */
  readonly meaning: string;
}

export interface ChangeRequest {
  readonly kind: ChangeKind;
  /** NAME, where the command has one (all but install). */
  readonly instance?: string;
  /** PRODUCT[@VERSION] or a path to a manifest (install). */
  readonly product?: string;
  /** --name (install). */
  readonly name?: string;
  /** --to (upgrade). */
  readonly to?: string;
  /** --data (rollback). */
  readonly data?: DataOf;
  /** --purge (uninstall). */
  readonly purge?: boolean;
  /** False: --no-rehearsal (upgrade, reinstall). */
  readonly rehearsal?: false;
  /** A rollback that a failed trial brings about: why, for the state file. */
  readonly failedTrial?: FailedTrial;
  /** What such a rollback is for, by its `changedAt`: of another installation it would make something that nobody has judged. */
  readonly judged?: string;
  readonly supervisor?: SupervisorKind;
  /** `--set` and the answers file in one, flags first: setting name to text; a secret's text is its reference. */
  readonly given: Readonly<Record<string, string>>;
  /** Where a given text stands, for messages: name to `answers.yaml:4:3`. */
  readonly places?: Readonly<Record<string, string>>;
  readonly saveAnswers?: string;
  readonly telemetry?: { readonly say: 'on' | 'off'; readonly noticeId?: string; readonly by: 'flag' | 'answers' };
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly ack: readonly string[];
}

/** How questions are asked. Every method but `interactive` is called only where that is true. */
export interface Asker {
  readonly interactive: boolean;
  /** Asks for these settings, defaults filled in; answers are texts that parseSetting accepts. An empty secret keeps what there is, or has one made. */
  settings(
    product: Product,
    settings: readonly Setting[],
    defaults: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>>;
  /** Whose data a rollback takes; the standard one is marked. */
  data(choices: readonly DataChoice[], standard: DataOf): Promise<DataOf>;
  /** Offers another kind of change than the one asked for (an instance is there already). */
  offer(kind: ChangeKind, reason: string): Promise<boolean>;
  /** `version`: of the release that will run; a preview at the question names it. `reference`: what is typed to mean that release. */
  consent(notice: Notice, version: string, reference: string): Promise<'yes' | 'no'>;
  /** Shows the plan, asks for each danger that was not acknowledged, then the last question (skipped when `yes`). */
  confirm(plan: Plan, dangers: readonly Danger[], yes: boolean): Promise<boolean>;
}

/** What a change tells while it runs. Three renderings of it are in ui. */
export interface Events {
  title(text: string, summary: string): void;
  plan(plan: Plan): void;
  stepStarted(step: Step): void;
  stepProgress(
    step: Step,
    progress: { readonly done: number; readonly total: number; readonly unit: 'bytes' | 'files' },
  ): void;
  stepDone(step: Step, milliseconds: number): void;
  stepFailed(step: Step, error: unknown): void;
  stepUndone(step: Step): void;
  warn(warning: Warning): void;
  note(text: string): void;
}

export interface Ports {
  readonly world: World;
  readonly home: string;
  readonly asker: Asker;
  readonly events: Events;
  /** Called once a no said to this change has been recorded for an instance: that stands, whatever becomes of the change. */
  readonly withdrawn?: (name: InstanceName) => void;
}

export type Outcome =
  | 'installed'
  | 'reinstalled'
  | 'upgraded'
  | 'rolled-back'
  | 'uninstalled'
  | 'recovered'
  | 'unchanged'
  | 'planned'
  | 'refused'
  | 'undone'
  | 'failed';

export interface ChangeResult {
  readonly outcome: Outcome;
  readonly changed: boolean;
  /** The instance afterwards; null once it is purged. */
  readonly state: InstanceState | null;
  readonly plan: Plan | null;
  readonly consent: ConsentAnswer | null;
  readonly noticeId: NoticeId | null;
  readonly warnings: readonly Warning[];
  /** Folders with what was set aside and never deleted, for people to look at. */
  readonly setAside: readonly string[];
  /** Seconds for which the server did not answer; null where it was not running. */
  readonly downtimeSeconds: number | null;
}
