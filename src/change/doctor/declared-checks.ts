/**
 * The checks that a product's manifest asks `doctor` for: what a server of its kind needs of the world around it. A closed table of kinds; which
 * names, ports and files are meant is data. What can't be seen from here is said, and is no finding to mend.
 */

import type { DoctorCheck } from '../../product/manifest.ts';
import { holds } from '../../product/risks.ts';
import { render, type View } from '../../product/template.ts';
import { viewOfService } from '../../service/spec.ts';
import { addressesOf, srvRecords } from '../../system/names.ts';
import { openFilesLimit } from '../../system/process-table.ts';
import { reachPort } from '../../system/reach.ts';
import { certificateCheck } from './certificate-check.ts';
import { clockCheck } from './clock-check.ts';
import { type Found, note, type Patient, problem, warning } from './finding.ts';

/** What a check is given beside the patient: texts and ports with their names filled in. */
export interface Asked<Kind extends DoctorCheck['kind']> {
  readonly check: Extract<DoctorCheck, { kind: Kind }>;
  readonly patient: Patient;
  readonly text: (template: string) => string;
  readonly number: (port: string | number) => number;
}

type Check<Kind extends DoctorCheck['kind']> = (asked: Asked<Kind>) => Found[] | Promise<Found[]>;

/** Those of the product that hold with the instance's settings, ready to be made. */
export const declaredChecks = ({ stored, state }: Patient): ((patient: Patient) => Found[] | Promise<Found[]>)[] =>
  (stored.product.doctor ?? [])
    .filter((check) => holds(stored.product, check, state.settings))
    .map((check) => {
      const make = (patient: Patient) => (kinds[check.kind] as Check<DoctorCheck['kind']>)(asked(check, patient));
      Object.defineProperty(make, 'name', { value: check.kind });
      return make;
    });

const asked = <Kind extends DoctorCheck['kind']>(
  check: Extract<DoctorCheck, { kind: Kind }>,
  patient: Patient,
): Asked<Kind> => {
  const view: View = viewOfService(patient.spec.host, patient.state, patient.stored, patient.paths);
  const text = (template: string): string => render(template, view, `doctor.${check.kind}`);
  return { check, patient, text, number: (port) => Number(typeof port === 'number' ? port : text(port)) };
};

const srv: Check<'srv'> = async ({ check, text, number }) => {
  const [domain, port] = [text(check.domain), number(check.port)];
  const name = `_${check.service}._${check.protocol}.${domain}`;
  const answer = await srvRecords(name);
  const wanted = `${name}. 3600 IN SRV 0 5 ${port} HOST.`;
  if ('unknown' in answer)
    return [
      note(
        'srv-unknown',
        `Nobody could be asked for ${name} (${answer.unknown}).`,
        'Look again with a name server that answers.',
      ),
    ];
  if (answer.found.length === 0) {
    return [
      warning(
        'srv-missing',
        `There is no record ${name}; not everybody looks for port ${port} without one.`,
        `Add to the zone: ${wanted}`,
      ),
    ];
  }
  if (answer.found.some((record) => record.port === port)) return [];
  const ports = answer.found.map((record) => `${record.name}:${record.port}`).join(', ');
  return [
    problem(
      'srv-port',
      `${name} leads to ${ports}, and the server listens on port ${port}.`,
      `Correct the zone: ${wanted}`,
    ),
  ];
};

const port: Check<'port'> = async ({ check, text, number }) => {
  const [host, wanted] = [text(check.host).replace(/^\[(.*)\]$/, '$1'), number(check.port)];
  const answer = await addressesOf(host);
  if ('unknown' in answer)
    return [
      note(
        'address-unknown',
        `Nobody could be asked for the address of ${host} (${answer.unknown}).`,
        'Look again with a name server that answers.',
      ),
    ];
  if (answer.found.length === 0) {
    return [
      warning(
        'address-missing',
        `${host} has no address.`,
        `Add to the zone: ${host}. 3600 IN A ADDRESS-OF-THIS-MACHINE`,
      ),
    ];
  }
  const reached = await reachPort(answer.found[0] as string, wanted);
  if (reached === 'open') return [];
  return [
    problem(
      'port-unreachable',
      `Port ${wanted} of ${host} (${answer.found[0]}) can't be reached from here: ${reached.failed}.`,
      'See that the server runs and listens there, and open the port in every firewall on the way.',
    ),
  ];
};

const files: Check<'files'> = ({ check, patient: { observed, spec, state } }) => {
  const limit = observed.main === undefined ? undefined : openFilesLimit(observed.main.pid);
  if (limit === undefined || limit >= check.least) return [];
  const remedy =
    state.supervisor === 'systemd'
      ? `systemctl edit assent-${spec.instance}.service, with LimitNOFILE=${check.least * 4} under [Service]; then assent restart ${spec.instance}`
      : `Raise the limit where Assent is started (ulimit -n ${check.least * 4}); then assent restart ${spec.instance}`;
  return [
    warning(
      'open-files',
      `The server may have ${limit} files and connections open; ${check.least} should be the least.`,
      remedy,
    ),
  ];
};

const kinds: { readonly [Kind in DoctorCheck['kind']]: Check<Kind> } = {
  srv,
  certificate: certificateCheck,
  clock: clockCheck,
  files,
  port,
};
