/** Checks of the running server: whether it runs as it is meant to, is healthy, keeps its own telemetry as consent has it, and who can reach it. */

import { checkOnce } from '../../service/health/checks.ts';
import { readBackTelemetry } from '../../service/own-telemetry.ts';
import { statIfThere } from '../../system/files.ts';
import { portHolder } from '../../system/net.ts';
import type { Found, Patient } from './finding.ts';
import { note, problem, warning } from './finding.ts';

const runsAsMeant = ({ paths, state, observed }: Patient): Found[] => {
  if (state.running && observed.state !== 'running') {
    return [
      problem(
        'server-down',
        `The server is meant to run and is ${observed.state}.`,
        `assent start ${paths.name}; why it ended: assent logs ${paths.name}`,
      ),
    ];
  }
  if (!state.running && observed.state === 'running' && state.supervisor !== 'none') {
    return [
      warning(
        'server-up',
        'The server runs although it is meant to be stopped.',
        `assent stop ${paths.name}, or assent start ${paths.name} to keep it`,
      ),
    ];
  }
  if (observed.restarts < 3) return [];
  return [
    warning(
      'server-restarts',
      `The server died and was started again ${observed.restarts} times.`,
      `assent logs ${paths.name}`,
    ),
  ];
};

const healthy = async ({ paths, spec, observed }: Patient): Promise<Found[]> => {
  if (observed.state !== 'running') return [];
  const report = await checkOnce(spec);
  if (report.healthy) return [];
  return [
    problem(
      'server-unhealthy',
      `The server runs and is not healthy: ${report.reason ?? 'it does not answer'}.`,
      `assent logs ${paths.name}; then assent restart ${paths.name}`,
    ),
  ];
};

/** A server that is down can't start where somebody else has its port. */
const portsFree = async ({ spec, observed }: Patient): Promise<Found[]> => {
  if (observed.state === 'running') return [];
  const states = await Promise.all(
    spec.ports.map(async (port) => ({ port, state: await portHolder('127.0.0.1', port) })),
  );
  return states
    .filter(({ state }) => state.why === 'taken')
    .map(({ port, state }) =>
      problem(
        'port-taken',
        `Port ${port} is taken${state.by === undefined ? '' : ` by ${state.by}`}.`,
        'Stop that, or take another port: assent reinstall --set ...',
      ),
    );
};

const ownTelemetry = async ({ paths, spec, observed }: Patient): Promise<Found[]> => {
  if (observed.state !== 'running') return [];
  const reading = await readBackTelemetry(spec);
  if (reading === undefined || reading.obeyed === true) return [];
  if (reading.obeyed === 'unknown')
    return [
      warning(
        'own-telemetry-unknown',
        `Whether the server's own telemetry is off can't be told: ${reading.detail}.`,
        `assent restart ${paths.name}, then look again`,
      ),
    ];
  return [
    problem(
      'own-telemetry',
      `The server's own telemetry is not as your answer has it: ${reading.detail}.`,
      `assent restart ${paths.name} sets it again`,
    ),
  ];
};

const serviceFiles = async ({ paths, spec, supervisor }: Patient): Promise<Found[]> =>
  (await supervisor.describe(spec))
    .filter((path) => statIfThere(path) === undefined)
    .map((path) =>
      problem(
        'service-file',
        `${path} is missing, so the server does not start by itself.`,
        `assent restart ${paths.name}`,
      ),
    );

const supervision = ({ spec, supervisor, state }: Patient): Found[] => {
  const make = state.supervisor === 'systemd' ? warning : note;
  return supervisor.warnings(spec).map(({ id, message, remedy }) => make(id, message, remedy));
};

const reach = ({ spec }: Patient): Found[] =>
  spec.listensWide
    ? [
        note(
          'listens-wide',
          'The server listens on more than this machine.',
          'Put a proxy with TLS before it, or: assent reinstall --set listen=127.0.0.1',
        ),
      ]
    : [];

export const serviceChecks = [runsAsMeant, healthy, portsFree, ownTelemetry, serviceFiles, supervision, reach] as const;
