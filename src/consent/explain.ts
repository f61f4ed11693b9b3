/**
 * The answer in words and as an exit code: what status, last screens and receipts say. Every reason and every fault has a sentence here;
 * nothing is decided.
 */

import type { Answer, Fault, Reason } from './resolver.ts';

/** One line, beginning with on or off: `off: you declined for this installation`. `unseen`: what may set DO_NOT_TRACK and can't be read. */
export const explain = (answer: Answer, name: string, unseen: string | null = null): string => {
  if (answer.reason === 'record-invalid' && answer.fault !== null) {
    return `off: the decision on record can't be trusted, so it counts as no: ${faultText(answer.fault)}. It is asked anew with: assent reinstall ${name}`;
  }
  if (answer.reason === 'change-unfinished' && answer.running === true) {
    return 'off: a change is running; an answer counts once it has finished';
  }
  if (answer.reason === 'do-not-track' && unseen !== null) {
    return `off: accepted, but DO_NOT_TRACK may be set for the server in ${unseen}, which can't be read here`;
  }
  return sentences[answer.reason](name);
};

/** For `telemetry status --exit-code`. */
export const statusExit = ({ reason }: Answer): number => statusExits[reason];

export const faultText = (fault: Fault): string => faults[fault];

const sentences: Record<Reason, (name: string) => string> = {
  'no-telemetry': () => 'off: this product declares no telemetry',
  'change-unfinished': (name) => `off: an interrupted change waits to be ended with: assent recover ${name}`,
  'record-invalid': () => "off: the decision on record can't be trusted, so it counts as no",
  declined: () => 'off: you declined for this installation',
  withdrawn: () => 'off: it was withdrawn',
  'change-undone': () => 'off: the last change was undone and took a yes with it',
  'notice-not-confirmed': () => 'off: on was said without the id of the notice, so it was not confirmed',
  'not-asked': () => 'off: nobody has answered for this installation',
  'do-not-track': () => 'off: accepted, but DO_NOT_TRACK is set for the server',
  accepted: () => 'on: you accepted for this installation',
};

const statusExits: Record<Reason, number> = {
  accepted: 0,
  'not-asked': 20,
  'change-undone': 20,
  'notice-not-confirmed': 20,
  declined: 21,
  withdrawn: 21,
  'do-not-track': 22,
  'record-invalid': 23,
  'change-unfinished': 23,
  'no-telemetry': 24,
};

const faults: Record<Fault, string> = {
  'instance-unreadable': 'the state file instance.json is missing or can not be read',
  'not-installed': 'it was given for something that is not installed',
  'record-missing': 'consent.json is gone, but the log knows of a decision',
  'record-damaged': 'consent.json is damaged',
  'record-newer': 'consent.json was written by a newer Assent',
  'record-unreadable': 'consent.json can not be read',
  'record-foreign': "consent.json is no regular file of the instance folder's owner",
  'record-earlier': 'consent.json belongs to another installation of this instance',
  'record-elsewhere': 'consent.json belongs to another name, folder or machine',
  'record-ahead': 'the decision is dated in the future',
  'log-missing': 'consent.log is gone',
  'log-unreadable': 'consent.log can not be read',
  'log-foreign': "consent.log is no regular file of the instance folder's owner",
  'log-broken': 'consent.log was altered',
  'log-earlier': 'consent.log does not know this installation',
  'log-short': 'consent.log has lost lines',
  'log-of-before': 'consent.log lacks what was decided last, as after a restored backup',
  'mark-unreadable': 'the mark of the last decision, locks/NAME.consent-mark, is damaged or can not be read',
  'log-disagrees': 'consent.json and consent.log disagree',
  'notice-other': 'it was given to another notice than that of the running release',
  'notice-altered': 'the stored notice was altered or is gone',
};
