/** Visitors of MailDev's WebClient: each from an address of its own, with the instance's login. */
import { request } from 'node:http';
import { expect } from 'vitest';
import { awayFromMidnight } from './clock.ts';

export interface Visited {
  readonly port: number;
  readonly password: string;
}

const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Six people open their mailbox. */
export const sixVisits = async (server: Visited): Promise<void> => {
  await awayFromMidnight();
  for (let client = 2; client <= 7; client += 1) expect(await visit(server, client)).toBe(200);
};

/** The status of one request, as the client 127.0.0.CLIENT. */
const visit = ({ port, password }: Visited, client: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const address = { host: '127.0.0.1', port, localAddress: `127.0.0.${client}`, agent: false };
    request({ ...address, path: '/api/email', headers: { authorization, 'user-agent': agent } }, (response) =>
      response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    )
      .on('error', reject)
      .end();
  });
