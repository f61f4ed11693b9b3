/**
 * The flags of a command line as the rest of the program has them: one typed record. How they are spelled and what help says of them
 * is in options.ts, which is loaded only where a line has to be parsed in full.
 */

/** All flags of a command line, with those that a command does not take at rest. */
export interface Flags {
  readonly home: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False with --no-color. */
  readonly color: boolean;
  readonly yes: boolean;
  readonly telemetry: 'on' | 'off' | undefined;
  readonly telemetryNotice: string | undefined;
  readonly set: readonly string[];
  readonly answers: string | undefined;
  readonly saveAnswers: string | undefined;
  readonly dryRun: boolean;
  readonly ack: readonly string[];
  readonly name: string | undefined;
  readonly supervisor: 'systemd' | 'process' | 'none' | undefined;
  readonly to: string | undefined;
  /** --release VERSION (products lock). */
  readonly release: string | undefined;
  /** --refresh (products lock). */
  readonly refresh: boolean;
  readonly data: 'then' | 'now' | undefined;
  readonly purge: boolean;
  /** False with --no-rehearsal. */
  readonly rehearsal: boolean;
  readonly finish: boolean;
  readonly undo: boolean;
  /** --drill (doctor). */
  readonly drill: boolean;
  readonly exitCode: boolean;
  readonly all: boolean;
  readonly lines: number | undefined;
  readonly follow: boolean;
  /** --html FILE (telemetry preview). */
  readonly html: string | undefined;
  readonly raw: boolean;
  readonly seconds: number | undefined;
  /** What units and the detached supervisor call `run` with; not for people. */
  readonly detached: boolean;
  readonly prepareOnly: boolean;
  /** What timers call `telemetry send` with; not for people. */
  readonly scheduled: boolean;
}

export type FlagName = keyof Flags;

/** Options that every command takes. */
export const commonFlags: readonly FlagName[] = ['home', 'json', 'quiet', 'verbose', 'color'];
/** Options of whatever changes an instance. */
export const changeFlags: readonly FlagName[] = ['yes', 'telemetry', 'telemetryNotice', 'dryRun', 'ack'];
/** Options of commands that ask for settings. */
export const settingFlags: readonly FlagName[] = ['set', 'answers', 'saveAnswers'];

/** One record of flags out of what commander parsed. */
export const flagsOf = (parsed: Readonly<Record<string, unknown>>): Flags => ({ ...atRest, ...parsed });

const atRest: Flags = {
  home: undefined,
  json: false,
  quiet: false,
  verbose: false,
  color: true,
  yes: false,
  telemetry: undefined,
  telemetryNotice: undefined,
  set: [],
  answers: undefined,
  saveAnswers: undefined,
  dryRun: false,
  ack: [],
  name: undefined,
  supervisor: undefined,
  to: undefined,
  release: undefined,
  refresh: false,
  data: undefined,
  purge: false,
  rehearsal: true,
  finish: false,
  undo: false,
  drill: false,
  exitCode: false,
  all: false,
  lines: undefined,
  follow: false,
  html: undefined,
  raw: false,
  seconds: undefined,
  detached: false,
  prepareOnly: false,
  scheduled: false,
};
