/** Certificates of a small authority of the test's own, made by openssl, and laid out as certbot does: what is named is a link to the newest. */

import { spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { nobody } from './seed.ts';

export interface Renewable {
  /** Links, as they are given to a server. */
  readonly certificate: string;
  readonly key: string;
  /** The authority's own certificate, as PEM. */
  readonly authority: string;
  /** Issues another one for these names, and has the links lead to it. */
  renew(names: readonly string[], days: number): void;
  /** The sha256 of the public key of the newest, as browsers name it. */
  pin(): string;
}

export const renewable = (folder: string, domain: string): Renewable => {
  const [live, archive] = [join(folder, 'live', domain), join(folder, 'archive', domain)];
  for (const made of [live, archive]) mkdirSync(made, { recursive: true });
  const [caKey, ca] = [join(folder, 'ca.key'), join(folder, 'ca.crt')];
  make('/CN=An authority of the test', 3650, ['basicConstraints=critical,CA:TRUE'], caKey, ca);
  let number = 0;
  const renew = (names: readonly string[], days: number): void => {
    number += 1;
    const [key, chain] = ['privkey', 'fullchain'].map((name) => join(archive, `${name}${number}.pem`)) as [
      string,
      string,
    ];
    const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`;
    const signed = ['-CA', ca, '-CAkey', caKey];
    make(`/CN=${domain}`, days, ['basicConstraints=CA:FALSE', alternatives], key, chain, signed);
    if (nobody) for (const file of [key, chain]) chownSync(file, nobody.uid, nobody.gid);
    for (const name of ['privkey', 'fullchain']) {
      symlinkSync(`../../archive/${domain}/${name}${number}.pem`, join(live, 'new'));
      renameSync(join(live, 'new'), join(live, `${name}.pem`));
    }
  };
  const pin = (): string => {
    const { publicKey } = new X509Certificate(readFileSync(certificate));
    return createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
  };
  const [certificate, key] = [join(live, 'fullchain.pem'), join(live, 'privkey.pem')];
  return { certificate, key, authority: readFileSync(ca, 'utf8'), renew, pin };
};

const make = (
  subject: string,
  days: number,
  extensions: readonly string[],
  key: string,
  certificate: string,
  signed: readonly string[] = [],
): void => {
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config /dev/null'.split(' ');
  const about = ['-subj', subject, '-days', String(days), ...extensions.flatMap((one) => ['-addext', one])];
  const made = spawnSync('openssl', [...kind, ...about, ...signed, '-keyout', key, '-out', certificate], {
    encoding: 'utf8',
  });
  expect(made.status, made.stderr).toBe(0);
};
