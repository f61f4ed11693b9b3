/**
 * The units of what runs beside a server after a yes. Pure, like unit.ts, and as shut in as what they do allows.
 *
 * - `assent-NAME.count.service` reads the access log as the server's account. It needs no network and gets none.
 * - `assent-NAME.telemetry.timer` starts `assent-NAME.telemetry.service` once an hour, at another moment each time. As root that one runs as root, for
 *   reports are root's; of root's powers it keeps one: to read and delete what the server's account has counted.
 *
 * The dot keeps these names apart from those of servers: `assent-mail-count.service` would be the server of an instance called mail-count.
 */

import type { ServiceSpec } from './spec.ts';
import { accountLines, common, shutFilesystem, shutIn, unwanted } from './unit.ts';
import { assignment, commandLine, listedPath, plainText } from './unit-text.ts';

export interface CompanionUnit {
  readonly name: string;
  readonly text: string;
}

export interface CompanionUnits {
  readonly count: CompanionUnit | null;
  readonly send: { readonly timer: CompanionUnit; readonly service: CompanionUnit } | null;
}

export const companionNames = (instance: string) => ({
  count: `assent-${instance}.count.service`,
  timer: `assent-${instance}.telemetry.timer`,
  send: `assent-${instance}.telemetry.service`,
});

export const companionUnits = (spec: ServiceSpec): CompanionUnits => {
  const { follow, send } = spec.companions;
  const names = companionNames(spec.instance);
  return {
    count: follow === null ? null : { name: names.count, text: countUnit(spec, follow) },
    send:
      send === null
        ? null
        : {
            timer: { name: names.timer, text: timerUnit(spec) },
            service: { name: names.send, text: sendUnit(spec, send) },
          },
  };
};

const countUnit = (spec: ServiceSpec, words: readonly string[]): string =>
  unit(spec, `Counting beside ${spec.title}`, [
    ...['StartLimitIntervalSec=0', '', '[Service]', 'Type=exec', ...programLines(spec, words)],
    ...['Restart=always', 'RestartSec=10', 'KillMode=mixed', 'TimeoutStopSec=5', 'SuccessExitStatus=143'],
    ...(isSystem(spec)
      ? [...accountLines(spec), ...systemLines(countFilesystem(spec)), ...noPrivilege, ...noNetwork]
      : common),
    ...['', '[Install]', `WantedBy=${isSystem(spec) ? 'multi-user.target' : 'default.target'}`],
  ]);

const sendUnit = (spec: ServiceSpec, words: readonly string[]): string =>
  unit(spec, `Reports of ${spec.title}`, [
    ...(isSystem(spec) ? ['After=network.target'] : []),
    ...['', '[Service]', 'Type=oneshot', ...programLines(spec, words)],
    // 60 reports of 30 seconds at most. One that could not be delivered waits for the next hour, which is no failure of the machine.
    ...['TimeoutStartSec=2100', 'KillMode=mixed', 'TimeoutStopSec=5', 'SuccessExitStatus=5 143'],
    ...(isSystem(spec) ? [...systemLines(sendFilesystem(spec)), ...oneCapability] : common),
  ]);

const timerUnit = (spec: ServiceSpec): string =>
  unit(spec, `Reports of ${spec.title}, when they are due`, [
    ...['', '[Timer]', 'OnCalendar=hourly', 'RandomizedDelaySec=3600', 'AccuracySec=60', 'Persistent=no'],
    ...['', '[Install]', 'WantedBy=timers.target'],
  ]);

const unit = ({ instance }: ServiceSpec, title: string, lines: readonly string[]): string =>
  [
    `# Written by Assent after a yes, removed with it: assent telemetry off ${instance}`,
    '[Unit]',
    `Description=${plainText(title)}`,
    ...lines,
    '',
  ].join('\n');

const isSystem = ({ host }: ServiceSpec): boolean => host.uid === 0;

/** NODE_EXTRA_CA_CERTS may come from a drop-in of the admin's: it adds authorities and weakens none. */
export const programLines = (
  spec: Pick<ServiceSpec, 'host' | 'environment'>,
  words: readonly string[],
  program: readonly string[] = verifiedCopy(spec),
): string[] => {
  const { environment } = spec;
  const veto = environment['DO_NOT_TRACK'];
  return [
    `ExecStart=${commandLine([...program, ...words])}`,
    'WorkingDirectory=/',
    `UnsetEnvironment=${unwanted.filter((name) => name !== 'NODE_EXTRA_CA_CERTS').join(' ')}`,
    `Environment=${assignment('LANG', 'C.UTF-8')}`,
    ...(veto === undefined ? [] : [`Environment=${assignment('DO_NOT_TRACK', veto)}`]),
  ];
};

/** The words that start the verified copy of Assent. */
export const verifiedCopy = ({ host }: Pick<ServiceSpec, 'host'>): string[] => {
  if (host.program === null) throw new Error('a unit needs the verified copy of the program');
  return [host.program.node, host.program.main];
};

const systemLines = (filesystem: readonly string[]): string[] => [...common, ...shutIn, ...filesystem];

const countFilesystem = ({ paths }: ServiceSpec): string[] =>
  shutFilesystem(paths.home, [listedPath(paths.counts, { ifThere: true })]);

const sendFilesystem = ({ paths }: ServiceSpec): string[] =>
  shutFilesystem(paths.home, [listedPath(paths.folder), listedPath(`${paths.home}/locks`)]);

const noPrivilege = ['CapabilityBoundingSet=', 'AmbientCapabilities=', 'PrivateUsers=yes'];

/** After `common`, which allows what a server needs. */
const noNetwork = [
  'PrivateNetwork=yes',
  'RestrictAddressFamilies=',
  'RestrictAddressFamilies=AF_UNIX',
  'IPAddressDeny=any',
];

/** What the account has counted lies in a folder that is closed to everybody else. */
const oneCapability = ['CapabilityBoundingSet=CAP_DAC_OVERRIDE', 'AmbientCapabilities='];
