/** The certificate that a server is given: whether it can be read, for whom and how long it is, and whether the server shows this very one. */

import { X509Certificate } from 'node:crypto';
import { namesIn } from '../../product/template.ts';
import { readBytesIfThere } from '../../system/files.ts';
import { realPathIfThere } from '../../system/quick-files.ts';
import { shownCertificate } from '../../system/reach.ts';
import type { Asked } from './declared-checks.ts';
import { type Found, note, problem, warning } from './finding.ts';

export const certificateCheck = async (asked: Asked<'certificate'>): Promise<Found[]> => {
  const file = asked.text(asked.check.file);
  if (file === '') return [];
  const certificate = read(file, asked.patient.paths.data);
  if (certificate === undefined) {
    const remedy = `Put it there, as PEM, readable for root and the server’s user${orAnother(file, asked)}`;
    return [problem('certificate-missing', `There is no certificate that could be read at ${file}.`, remedy)];
  }
  const found = [
    ...endOf(certificate, file, asked),
    ...namesOf(certificate, file, asked),
    ...(await shown(certificate, file, asked)),
  ];
  return found.length === 0 ? [allIsWell(certificate, file, asked)] : found;
};

/** The setting that the file is, where it is one: a server may have made it instead, or look for it in a folder. */
const orAnother = (file: string, { check, patient }: Asked<'certificate'>): string => {
  const { settings } = patient.state;
  const setting = namesIn(check.file, 'doctor.certificate').find((name) => settings[name] === file);
  return setting === undefined
    ? '.'
    : `; or give another: assent reinstall ${patient.paths.name} --set ${setting}=FILE`;
};

/** Where certificates are renewed, what an admin names is a link to the newest; inside of the data, which the server's account writes, no link is followed. */
const read = (file: string, data: string): X509Certificate | undefined => {
  try {
    const isTheirs = file.startsWith(`${data}/`);
    const bytes = readBytesIfThere(isTheirs ? file : (realPathIfThere(file) ?? file));
    return bytes === undefined ? undefined : new X509Certificate(bytes);
  } catch {
    return undefined;
  }
};

const endOf = (
  { validTo, validFrom }: X509Certificate,
  file: string,
  { check, patient }: Asked<'certificate'>,
): Found[] => {
  const now = patient.world.now().getTime();
  const renew = `Renew it, then: assent restart ${patient.paths.name}`;
  const days = daysLeft(validTo, now);
  if (Date.parse(validFrom) > now)
    return [
      problem(
        'certificate-early',
        `The certificate ${file} is valid only from ${validFrom} on.`,
        'Look at the clock of this machine.',
      ),
    ];
  if (days < 0) return [problem('certificate-ended', `The certificate ${file} has ended (${validTo}).`, renew)];
  return days < check.days
    ? [warning('certificate-ends', `The certificate ${file} ends in ${days} days (${validTo}).`, renew)]
    : [];
};

const daysLeft = (validTo: string, now: number): number => Math.floor((Date.parse(validTo) - now) / 86_400_000);

/** The day by which somebody has to see to it is worth knowing before it is near. */
const allIsWell = (
  { validTo }: X509Certificate,
  file: string,
  { check, patient, text }: Asked<'certificate'>,
): Found => {
  const names = check.names.map(text).join(', ');
  const days = daysLeft(validTo, patient.world.now().getTime());
  return note(
    'certificate-lasts',
    `The certificate ${file} holds for ${names} and ends in ${days} days (${validTo}).`,
    `After it was renewed: assent restart ${patient.paths.name}`,
  );
};

const namesOf = (certificate: X509Certificate, file: string, { check, text }: Asked<'certificate'>): Found[] => {
  const missing = check.names.map(text).filter((name) => certificate.checkHost(name) === undefined);
  if (missing.length === 0) return [];
  const remedy = `Have it issued for ${check.names.map(text).join(', ')}.`;
  return [warning('certificate-names', `The certificate ${file} does not hold for ${missing.join(', ')}.`, remedy)];
};

/** One that was renewed is shown only after a restart. */
const shown = async (
  certificate: X509Certificate,
  file: string,
  { check, patient, text, number }: Asked<'certificate'>,
): Promise<Found[]> => {
  if (check.served === undefined || patient.observed.state !== 'running') return [];
  const host = text(check.served.host).replace(/^\[(.*)\]$/, '$1');
  const fingerprint = await shownCertificate(host, number(check.served.port), text(check.names[0] ?? ''));
  if (fingerprint === undefined || fingerprint === certificate.fingerprint256) return [];
  return [
    warning(
      'certificate-old',
      `The server shows another certificate than the one in ${file}.`,
      `assent restart ${patient.paths.name}`,
    ),
  ];
};
