/**
 * Doors of a test to a server of this machine: who comes through one comes from an address of its own, so that one machine can be many people. Closed when the running test
 * ends.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { onTestFinished } from 'vitest';

export interface Behind {
  readonly port: number;
  /** 127.0.0.N, from which the server is called. */
  readonly from: string;
}

/** The port of a door without TLS, behind which the server has to show a certificate of this authority for this domain. */
export const plainDoor = ({ port, from, domain, ca }: Behind & { readonly domain: string; readonly ca: string }) =>
  opened((near) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }).on('error', () => near.destroy());
    join(near, connectSecurely({ socket, servername: domain, ca, ALPNProtocols: ['http/1.1'] }));
  });

/** A SOCKS 5 proxy (RFC 1928) for a browser: every name leads to the server, and is written down with its port, as `NAME:PORT`. */
export const proxyDoor = async ({ port, from }: Behind): Promise<{ port: number; asked: string[] }> => {
  const asked: string[] = [];
  const door = await opened((near) => {
    near.once('data', () => {
      near.write(Uint8Array.of(5, 0));
      near.once('data', (request: Buffer) => {
        const { name, wanted } = destination(request);
        asked.push(`${name}:${wanted}`);
        // Nobody else is reached from here, whatever is asked for.
        if (wanted !== port) return void near.destroy();
        const far = connect({ host: '127.0.0.1', port, localAddress: from }).on('error', () => near.destroy());
        far.once('connect', () => {
          near.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          join(near, far);
        });
        return undefined;
      });
    });
  });
  return { port: door, asked };
};

/** Version, command, a zero, the kind of address (1: four bytes, 3: a name with its length), port. */
const destination = (request: Buffer): { name: string; wanted: number } => {
  const isName = request[3] === 3;
  const end = isName ? 5 + (request[4] as number) : 8;
  const name = isName ? request.toString('latin1', 5, end) : request.subarray(4, end).join('.');
  return { name, wanted: request.readUInt16BE(end) };
};

const opened = async (enter: (near: Socket) => void): Promise<number> => {
  const inside = new Set<Socket>();
  const door = createServer((near) => {
    inside.add(near);
    near.on('error', () => near.destroy());
    enter(near);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const near of inside) near.destroy();
    door.close();
  });
  return (door.address() as AddressInfo).port;
};

const join = (near: Socket, far: Socket): void => {
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
    one.pipe(other);
  }
};
