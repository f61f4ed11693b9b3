/**
 * Failure: the one way in which Assent fails for people. It says what happened (message) and what to do (advice);
 * its code is looked up in one closed table, which gives the exit code of the contract.
 *
 * docs/errors.md lists every code; a test fails when the two disagree. Whatever is thrown and is no Failure is a bug (exit 1).
 */

export const exits = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  answerNeeded: 4,
  download: 5,
  undone: 6,
  stuck: 7,
  interrupted: 8,
  busy: 9,
  unknown: 10,
  cancelled: 130,
} as const;

/** Every failure code with its exit code. Keep the groups in the order of the exit codes. */
export const failureExits = {
  'usage-option': exits.usage,
  'usage-setting': exits.usage,
  'usage-answers': exits.usage,
  'usage-manifest': exits.usage,
  'usage-ack': exits.usage,
  'usage-telemetry-on': exits.usage,
  'usage-exists': exits.usage,
  'usage-name': exits.usage,
  'usage-environment': exits.usage,
  'refused-platform': exits.refused,
  'refused-permission': exits.refused,
  'refused-check': exits.refused,
  'refused-space': exits.refused,
  'refused-port': exits.refused,
  'refused-danger': exits.refused,
  'refused-changed-meanwhile': exits.refused,
  'refused-state-damaged': exits.refused,
  'refused-history': exits.refused,
  'refused-findings': exits.refused,
  'refused-rehearsal': exits.refused,
  'refused-compiler': exits.refused,
  'refused-apt': exits.refused,
  'answer-needed': exits.answerNeeded,
  'confirmation-needed': exits.answerNeeded,
  'download-failed': exits.download,
  'verification-failed': exits.download,
  'build-failed': exits.download,
  'report-not-delivered': exits.download,
  'change-undone': exits.undone,
  'change-stuck': exits.stuck,
  'withdrawal-not-recorded': exits.stuck,
  'withdrawal-still-sending': exits.stuck,
  'change-interrupted': exits.interrupted,
  'instance-busy': exits.busy,
  'no-instance': exits.unknown,
  'no-product': exits.unknown,
  'no-release': exits.unknown,
  'no-previous': exits.unknown,
  cancelled: exits.cancelled,
} as const satisfies Record<string, number>;

export type FailureCode = keyof typeof failureExits;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  /** What to do now: one or more sentences, or commands to type. */
  readonly advice: string;
  readonly exit: number;
  /** True if it comes from a change that has begun and could not be brought to its end; what is refused or undone has left no mark. */
  readonly isOpen: boolean;

  constructor(code: FailureCode, message: string, advice: string, cause?: unknown, isOpen = code === 'change-stuck') {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.advice = advice;
    this.exit = failureExits[code];
    this.isOpen = isOpen;
  }
}

/** The error's message, whatever was thrown. */
export const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return isQuota(error) ? message.replace(quotaWords, 'EDQUOT: disk quota exceeded') : message;
};

/** EDQUOT, for which Node has no name: it knows the number, and calls it this or that. */
export const isQuota = (error: unknown): boolean =>
  error instanceof Error &&
  ((error as NodeJS.ErrnoException).errno === -122 || error.message.includes('Unknown system error -122'));

const quotaWords = /Unknown system error -122(: Unknown system error -122)?|UNKNOWN: unknown error/;
