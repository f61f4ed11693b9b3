// A port of this process behind which the server's web port is. Over TLS the server has to show the very certificate that it was given:
// its name and its issuer are not asked for, so that a trial's own certificate is checked as strictly as any other.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** Returns the port. `fail` is told where another certificate is shown. */
export const plainDoor = async ({ host, port, domain, certificate }, fail) => {
  const open = certificate === '' ? () => connect({ host, port }) : securely({ host, port, domain, certificate }, fail);
  const door = createServer((near) => {
    const far = open();
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
  return door.address().port;
};

const securely = ({ host, port, domain, certificate }, fail) => {
  const expected = new X509Certificate(readFileSync(certificate)).fingerprint256;
  return () => {
    const far = connectSecurely({ host, port, servername: domain, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    return far.on('secureConnect', () => {
      if (far.getPeerX509Certificate()?.fingerprint256 !== expected) fail(`port ${port} shows another certificate than ${certificate}`);
    });
  };
};
