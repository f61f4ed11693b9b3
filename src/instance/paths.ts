/**
 * Where an instance keeps what belongs to it. Every path of the contract's "On disk" that lies under
 * `instances/NAME` is named here and nowhere else. Pure: nothing is made or looked at.
 *
 * The locks lie outside of the folder, in `HOME/locks`: a kernel lock holds only while its file, of a name that is used again, is never deleted, and
 * `uninstall --purge` deletes the folder. So does the mark of consent, which a restored folder must not bring back.
 */

import { join } from 'node:path';
import type { InstanceName } from '../values.ts';

export interface InstancePaths {
  readonly home: string;
  readonly name: InstanceName;
  readonly folder: string;
  readonly state: string;
  readonly consent: string;
  readonly consentLog: string;
  readonly consentUsers: string;
  readonly consentLock: string;
  /** Which line of the log decided last: outside of the folder, so that no backup of that brings it back. */
  readonly consentMark: string;
  readonly notices: string;
  readonly journal: string;
  /** The journal of the change under way; closed ones lie beside it as `NNNNNN-KIND.jsonl`. */
  readonly openJournal: string;
  readonly lock: string;
  /** What the looks at a release on trial have seen so far. */
  readonly trial: string;
  /** Held by whoever looks at it, and acts. */
  readonly trialLock: string;
  readonly current: string;
  readonly config: string;
  /** What Assent wrote into `config` the last time: the base of the three-way merge. */
  readonly configBase: string;
  readonly data: string;
  readonly logs: string;
  readonly backups: string;
  /** What is counted after a yes. Whoever counts never makes it; an erasing takes it away as a whole. */
  readonly telemetry: string;
  /** Where whoever counts writes: the server's account may. */
  readonly counts: string;
  /** The socket at which whoever counts takes requests, of servers that write no log of them. */
  readonly requests: string;
  /** From when on consent has been in force without a gap. */
  readonly window: string;
  /** Reports that wait to be sent. */
  readonly spool: string;
  /** Copies of what was sent, for the admin to read. */
  readonly reports: string;
  readonly secrets: string;
  /** A copy of Assent that ends an interrupted change where no other is left. */
  readonly recover: string;
  readonly run: string;
}

export const instancePaths = (home: string, name: InstanceName): InstancePaths => {
  const folder = join(home, 'instances', name);
  const inside = (part: string): string => join(folder, part);
  return {
    home,
    name,
    folder,
    state: inside('instance.json'),
    consent: inside('consent.json'),
    consentLog: inside('consent.log'),
    consentUsers: inside('consent.users'),
    consentLock: join(home, 'locks', `${name}.consent.lock`),
    consentMark: join(home, 'locks', `${name}.consent-mark`),
    notices: inside('notices'),
    journal: inside('journal'),
    openJournal: inside('journal/open.jsonl'),
    lock: join(home, 'locks', `${name}.lock`),
    trial: inside('trial.json'),
    trialLock: join(home, 'locks', `${name}.trial.lock`),
    current: inside('current'),
    config: inside('config'),
    configBase: inside('config.base'),
    data: inside('data'),
    logs: inside('logs'),
    backups: inside('backups'),
    telemetry: inside('telemetry'),
    counts: inside('telemetry/counts'),
    requests: inside('telemetry/counts/requests.sock'),
    window: inside('telemetry/window.json'),
    spool: inside('telemetry/spool'),
    reports: inside('reports'),
    secrets: inside('secrets'),
    recover: inside('recover'),
    run: inside('run'),
  };
};
