/** What apt says when something went wrong, told to people: in one sentence, with the code that fits and without anybody's password. */
import { Failure } from '../errors.ts';
import type { RunResult } from '../system/processes.ts';

/**
 * Lists that could not be read. Returns apt's words where the mirror merely has a suite no longer: its packages may be found elsewhere. Throws
 * 'verification-failed' for a signature, 'refused-space', 'download-failed' for the rest.
 */
export const listsTrouble = (result: RunResult, suites: readonly string[]): string => {
  const said = saidBy(result);
  const about = `The lists of ${suites.join(', ')} could not be read`;
  if (isFull(said)) throw fullDisk(said);
  if (
    /NO_PUBKEY|(BAD|EXPKEY|EXP|REVKEY|ERR)SIG|signatures? (couldn't|could not|were|was)|is not signed|not valid yet|is expired/i.test(
      said,
    )
  )
    throw new Failure(
      'verification-failed',
      `${about}: apt does not accept their signature. ${said}.`,
      'Install the archive keys of that mirror (apt-get install debian-archive-keyring), or correct Signed-By in its source. Nothing was changed.',
    );
  const errors = result.stderr.split('\n').filter((line) => line.startsWith('E: '));
  const isGone = errors.length > 0 && errors.every((line) => /does not have a Release file|404 +Not Found/.test(line));
  if (isGone) return said;
  throw new Failure(
    'download-failed',
    `${about}: ${said}.`,
    'Check the network, the mirrors and the proxy of apt ("apt-get update" uses the same), then run the command again. Nothing was changed.',
  );
};

/** The first complaints of one of apt's programs, on one line: errors, or else warnings. */
export const saidBy = ({ stdout, stderr, timedOut }: RunResult): string => {
  if (timedOut) return 'apt took too long and was ended';
  const lines = `${stderr}\n${stdout}`.split('\n');
  const found = ['E: ', 'W: ', 'Err:'].map((kind) => lines.filter((line) => line.startsWith(kind)));
  const worst = found.find((some) => some.length > 0) ?? [];
  const words = worst.slice(0, 3).map((line) =>
    line
      .replace(/^\w+: ?/, '')
      .trim()
      .replace(/\.$/, ''),
  );
  return (words.join('; ') || 'apt gave no reason').replace(/\/\/[^/@\s]+@/g, '//');
};

export const isFull = (said: string): boolean => /No space left|not enough free space|Disk quota/i.test(said);

export const fullDisk = (said: string): Failure =>
  new Failure(
    'refused-space',
    `The disk became full while packages were fetched: ${said}.`,
    'Make room, then run the command again. Nothing was changed.',
  );
