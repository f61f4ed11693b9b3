/**
 * The unit of a server, rendered from its spec. Pure: equal specs give equal bytes, so the state of a unit can be compared.
 *
 * System units run as the instance's account and are shut in: the whole filesystem read-only but data, logs and run, no
 * capability, no device, only the calls of a service. Memory that is written and executed stays allowed for V8, which dies without it. User units
 * have what works without root. ExecStart is the server itself, so systemd watches it and nothing of ours stands in between.
 */

import type { ServiceSpec } from './spec.ts';
import { startConditions } from './started-mark.ts';
import { assignment, commandLine, listedPath, plainPath, plainText } from './unit-text.ts';

export const unitName = (instance: string): string => `assent-${instance}.service`;

/** The text of the unit: a system unit where the spec is root's, else a user unit. */
export const renderUnit = (spec: ServiceSpec): string => {
  const isSystem = spec.host.uid === 0;
  return [
    '# Written by Assent at every change; local edits belong into a drop-in: systemctl edit.',
    '[Unit]',
    `Description=${plainText(spec.title)}`,
    ...(isSystem ? ['After=network.target'] : []),
    'StartLimitIntervalSec=0',
    ...startConditions(spec),
    '',
    '[Service]',
    ...startLines(spec),
    ...stopLines(spec),
    ...environmentLines(spec),
    ...(isSystem ? [...accountLines(spec), ...systemHardening(spec)] : userHardening),
    '',
    '[Install]',
    `WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
};

/** systemd starts it again whatever way it ended, but for a stop that was asked for. */
const startLines = (spec: ServiceSpec): string[] => [
  'Type=exec',
  ...[...keepLines(spec), ...spec.prepare].map((command) => `ExecStartPre=${commandLine(command)}`),
  `ExecStart=${commandLine(spec.command)}`,
  `WorkingDirectory=${plainPath(spec.directory)}`,
  `TimeoutStartSec=${spec.startSeconds * (1 + spec.prepare.length) + 30}`,
  'Restart=always',
  'RestartSec=1',
];

/** Keeps the server's own telemetry as consent has it, before every start. */
const keepLines = ({ ownTelemetry, host, instance, paths }: ServiceSpec): string[][] => {
  if ((ownTelemetry?.edits.length ?? 0) === 0) return [];
  if (host.program === null) throw new Error('a unit needs the verified copy of the program');
  return [[host.program.node, host.program.main, 'run', instance, '--home', paths.home, '--prepare-only']];
};

const stopLines = ({ stopSignal, stopSeconds }: ServiceSpec): string[] => [
  `KillSignal=${stopSignal}`,
  'KillMode=control-group',
  `TimeoutStopSec=${stopSeconds}`,
  `SuccessExitStatus=143 ${stopSignal}`,
];

const environmentLines = (spec: ServiceSpec): string[] => [
  // It would take away what is set below as well.
  `UnsetEnvironment=${unwanted.filter((name) => !(name in spec.environment)).join(' ')}`,
  ...Object.entries(spec.environment).map(([key, value]) => `Environment=${assignment(key, value)}`),
  ...(spec.environmentFile === null ? [] : [`EnvironmentFile=${plainPath(spec.environmentFile)}`]),
];

/** What a manager (above all a user's) may hand down that would change how a server runs. */
export const unwanted = [
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NOTIFY_SOCKET',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
];

export const accountLines = ({ account }: ServiceSpec): string[] => {
  if (account === null) throw new Error('a server never runs as root: the instance has no account');
  return [`User=${account.name}`, `Group=${account.gid}`, 'SupplementaryGroups='];
};

const systemHardening = (spec: ServiceSpec): string[] => [
  ...common,
  ...capabilities(spec),
  ...memory(spec),
  ...filesystem(spec),
  ...shutIn,
  'ProcSubset=pid',
];

/** What nothing that we run needs of the machine. */
export const machineShut = [
  'PrivateMounts=yes',
  'PrivateDevices=yes',
  'DevicePolicy=closed',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'KeyringMode=private',
];

/** What a system manager can take away beside. */
export const shutIn = [...machineShut, 'ProtectProc=invisible', 'RemoveIPC=yes'];

/** Works in a user's manager as well: it needs no privilege once new ones are out of reach. */
export const common = [
  'NoNewPrivileges=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged @resources',
  'SystemCallErrorNumber=EPERM',
  'UMask=0077',
  'LimitCORE=0',
];

const userHardening = common;

/** A port below 1024 takes one capability, which a user namespace of its own would take away again. */
const capabilities = ({ ports }: ServiceSpec): string[] =>
  ports.some((port) => port < 1024)
    ? ['CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']
    : ['CapabilityBoundingSet=', 'AmbientCapabilities=', 'PrivateUsers=yes'];

/** The program that keeps telemetry off is Node, so V8, too. */
const memory = ({ jit, ownTelemetry }: ServiceSpec): string[] =>
  jit || (ownTelemetry?.edits.length ?? 0) > 0 ? [] : ['MemoryDenyWriteExecute=yes'];

const filesystem = ({ paths }: ServiceSpec): string[] => {
  const others = [paths.logs, paths.run, paths.counts].map((path) => listedPath(path, { ifThere: true }));
  return shutFilesystem(paths.home, [listedPath(paths.data), ...others]);
};

/** Homes and temporary folders are hidden; where Assent's own home lies in one of them, that alone is shown there. Takes words of unit-text.ts. */
export const shutFilesystem = (home: string, mayWrite: readonly string[]): string[] => {
  const writable = mayWrite.join(' ');
  const inHome = /^\/(home|root|run\/user)(\/|$)/.test(home);
  const inTemporary = /^\/(var\/)?tmp(\/|$)/.test(home);
  return [
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'tmpfs' : 'yes'}`,
    'PrivateTmp=yes',
    ...(inHome || inTemporary ? [`BindReadOnlyPaths=${listedPath(home)}`, `BindPaths=${writable}`] : []),
    `ReadWritePaths=${writable}`,
  ];
};
