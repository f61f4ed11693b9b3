/**
 * What a command hands back: plain data, from which the JSON document of the contract and the last screen are both made.
 *
 * The keys are those of the document, schema `assent/1`. Fields are added, never renamed; a command leaves out what it
 * has nothing for.
 */

import type { Finding } from '../change/doctor/finding.ts';

export const outcomes = [
  'installed',
  'reinstalled',
  'upgraded',
  'rolled-back',
  'uninstalled',
  'recovered',
  'unchanged',
  'planned',
  'refused',
  'undone',
  'failed',
] as const;
export type Outcome = (typeof outcomes)[number];

export interface Warning {
  readonly id: string;
  readonly message: string;
  readonly remedy: string;
}

/** What even a light command tells of an instance. */
export interface InstanceSummary {
  readonly name: string;
  readonly product: string;
  /** What people call the product: `MailDev`. */
  readonly title: string;
  readonly version: string | null;
  readonly generation: number | null;
}

export interface InstanceView extends InstanceSummary {
  readonly previous: string | null;
  readonly supervisor: string | null;
  readonly state: 'running' | 'stopped' | 'failed' | 'unknown';
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  readonly urls: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, string>>;
  /** Where the instance was found, if not in the home that was asked for. */
  readonly home?: string;
  readonly consent?: ConsentView;
  readonly login?: { readonly user: string; readonly passwordFile: string | null };
  /** Why state or health are as they are, where that needs a word. */
  readonly detail?: string;
  /** What the running server says of its own telemetry, and whether that is as consent has it. */
  readonly ownTelemetry?: { readonly obeyed: boolean | 'unknown'; readonly detail: string };
  /** The release is on trial until then; or it has failed, and `waits` says why it was not rolled back by itself. */
  readonly trial?: {
    readonly until: string;
    readonly failed?: { readonly at: string; readonly reason: string };
    readonly waits?: string;
  };
  /** The last change was a rollback that a trial brought about: of which release, when and why. */
  readonly failedTrial?: { readonly version: string; readonly at: string; readonly reason: string };
  /** A change that waits for `recover`, or is under way. */
  readonly unfinished?: {
    readonly kind: string;
    readonly step: string | null;
    readonly at: string;
    readonly running: boolean;
  };
}

export interface ConsentView {
  readonly state: string;
  readonly collecting: boolean;
  readonly reason: string;
  readonly noticeId: string | null;
  readonly by: string | null;
  readonly at: string | null;
  /** One line in words: `off: you declined for this installation`. */
  readonly meaning: string;
  readonly [more: string]: unknown;
}

export interface PlanStepView {
  readonly id: string;
  readonly step: string;
  readonly title: string;
  readonly undo: string | null;
  readonly downtime: boolean;
  readonly bytes: number;
}

export interface Result {
  readonly outcome?: Outcome;
  readonly changed: boolean;
  readonly instance?: InstanceView | InstanceSummary;
  readonly instances?: readonly (InstanceView | InstanceSummary)[];
  readonly consent?: ConsentView;
  readonly plan?: readonly PlanStepView[];
  readonly warnings?: readonly Warning[];
  readonly notice?: Readonly<Record<string, unknown>>;
  readonly findings?: readonly Finding[];
  readonly products?: readonly Readonly<Record<string, unknown>>[];
  readonly history?: readonly unknown[];
  readonly [more: string]: unknown;
}
