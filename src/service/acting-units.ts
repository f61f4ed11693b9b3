/**
 * The units that act on an instance without anybody typing: the recovery at boot, and what looks at a release on trial. Pure, like unit.ts.
 *
 * - `assent-NAME.recover.service` ends at boot a change that was interrupted. Without an open journal systemd does not even start it. It is not
 *   ordered before the server, which it may have to start itself: the server's own unit refuses to start meanwhile (started-mark.ts).
 * - `assent-NAME.trial.timer` starts `assent-NAME.trial.service` every few seconds of a trial, and a drop-in of the server's unit has systemd start
 *   it when the server has died too often (OnFailure=). It looks once, and rolls back where the release has failed.
 *
 * Both may do what a change does: become the server's account, write the home and unit files, talk to systemd. What no change needs, they can't.
 */

import { recoveryCommand } from '../instance/recovery-copy.ts';
import { secondsBetweenLooks, type Trial } from '../instance/trial.ts';
import { programLines, verifiedCopy } from './companion-units.ts';
import type { ServiceSpec } from './spec.ts';
import { markFolder } from './started-mark.ts';
import { deathsAllowed } from './trial.ts';
import { machineShut, unitName } from './unit.ts';
import { listedPath, plainPath, plainText } from './unit-text.ts';

export const actingNames = (instance: string) => ({
  recover: `assent-${instance}.recover.service`,
  timer: `assent-${instance}.trial.timer`,
  look: `assent-${instance}.trial.service`,
  /** Below the folder of units. */
  dropIn: `${unitName(instance)}.d/50-assent-trial.conf`,
});

export const recoverUnit = (spec: ServiceSpec): string =>
  lines(
    'Assent: every change writes it anew, and the end of an uninstall removes it.',
    `Ends an interrupted change of ${spec.instance}`,
    [
      `ConditionPathExists=${plainPath(spec.paths.openJournal)}`,
      `RequiresMountsFor=${listedPath(spec.paths.home)}`,
      ...(isSystem(spec) ? ['After=network.target'] : []),
      ...[
        '',
        '[Service]',
        ...actingLines(spec, recoveryProgram(spec), ['recover', spec.instance, '--home', spec.paths.home]),
      ],
      ...['', '[Install]', `WantedBy=${isSystem(spec) ? 'multi-user.target' : 'default.target'}`],
    ],
  );

/** Hundreds of looks are not worth lines of systemd's in the journal, only what the command itself says; and however often it is started, none is refused. */
export const lookUnit = (spec: ServiceSpec): string =>
  lines(
    `${ofTrial} A look that ends the trial leaves it to the next change.`,
    `Looks at ${spec.title}, which is on trial`,
    [
      ...['StartLimitIntervalSec=0', ''],
      '[Service]',
      ...actingLines(spec, verifiedCopy(spec), ['trial', spec.instance, '--home', spec.paths.home, '--quiet']),
      'SyslogLevel=notice',
      'LogLevelMax=notice',
    ],
  );

export const trialTimer = (spec: ServiceSpec, trial: Trial): string => {
  const seconds = secondsBetweenLooks(trial);
  return lines(ofTrial, `Looks at ${spec.title}, which is on trial, every ${seconds} s`, [
    ...['', '[Timer]', `OnActiveSec=${seconds}`, `OnUnitInactiveSec=${seconds}`, 'AccuracySec=1'],
    ...['', '[Install]', 'WantedBy=timers.target'],
  ]);
};

/** A server that is started so often is given up, which it never is without a trial: a look is made at once, and tells deaths from what somebody has typed. */
export const trialDropIn = ({ instance }: ServiceSpec, { minutes }: Trial): string =>
  [
    `# ${ofTrial}`,
    '[Unit]',
    `OnFailure=${actingNames(instance).look}`,
    `StartLimitIntervalSec=${Math.ceil(minutes * 60) + 60}`,
    `StartLimitBurst=${deathsAllowed}`,
    '',
  ].join('\n');

const ofTrial = 'Assent: it is there as long as the release is on trial.';

/** What a recovery at boot executes: the instance's own copy, which is there before a change opens and shares no fate with anything else. */
const recoveryProgram = ({ paths }: ServiceSpec): string[] => [recoveryCommand(paths)];

const lines = (written: string, title: string, more: readonly string[]): string =>
  [`# ${written}`, '[Unit]', `Description=${plainText(title)}`, ...more, ''].join('\n');

const isSystem = ({ host }: ServiceSpec): boolean => host.uid === 0;

/** It is never ended for being slow: half a change would be the worse end. Told to end, it undoes what it has begun. */
const actingLines = (spec: ServiceSpec, program: readonly string[], words: readonly string[]): string[] => [
  'Type=oneshot',
  ...programLines(spec, words, program),
  ...['TimeoutStartSec=infinity', 'TimeoutStopSec=300', 'KillMode=mixed'],
  `RuntimeDirectory=${markFolder}`,
  'RuntimeDirectoryPreserve=yes',
  ...always,
  ...(isSystem(spec) ? [...systemOnly, ...filesystem(spec)] : []),
];

const always = [
  'NoNewPrivileges=yes',
  'RestrictRealtime=yes',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'LimitCORE=0',
];

/** Data may have setgid folders, so those may be made; and who ends a server has to see all processes. */
const systemOnly = [
  'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SYS_PTRACE',
  'AmbientCapabilities=',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
  ...machineShut,
];

/** The home, unit files, and the lists of users: an undone first install removes its account. */
const filesystem = ({ paths: { home } }: ServiceSpec): string[] => {
  const inHome = /^\/(home|root|run\/user)(\/|$)/.test(home);
  const hidden = inHome || /^\/(var\/)?tmp(\/|$)/.test(home);
  return [
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'tmpfs' : 'yes'}`,
    'PrivateTmp=yes',
    ...(hidden ? [`BindPaths=${listedPath(home)}`] : []),
    `ReadWritePaths=${listedPath(home)} "/etc"`,
  ];
};
