/** Whether a port answers, and which certificate it shows. Nothing is sent but what opening a connection takes. */

export type Reached = 'open' | { readonly failed: string };

export const reachPort = (host: string, port: number, timeoutMs = 5000): Promise<Reached> => {
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reached: Reached) => {
      socket.destroy();
      resolve(reached);
    };
    socket.setTimeout(timeoutMs, () => end({ failed: `no answer within ${timeoutMs / 1000} s` }));
    socket.on('connect', () => end('open')).on('error', (error) => end({ failed: error.message }));
  });
};

/** The sha256 fingerprint of the certificate that is shown there for a name, whoever has issued it. Undefined where there is no TLS. */
export const shownCertificate = (
  host: string,
  port: number,
  name: string,
  timeoutMs = 5000,
): Promise<string | undefined> => {
  const { connect } = process.getBuiltinModule('node:tls');
  return new Promise((resolve) => {
    const socket = connect({ host, port, servername: name, rejectUnauthorized: false });
    const end = (fingerprint: string | undefined) => {
      socket.destroy();
      resolve(fingerprint);
    };
    socket.setTimeout(timeoutMs, () => end(undefined)).on('error', () => end(undefined));
    socket.on('secureConnect', () => end(socket.getPeerX509Certificate()?.fingerprint256));
  });
};
