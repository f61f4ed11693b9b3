/** Visitors of a server on this machine: each from an address of its own. */
import { type OutgoingHttpHeaders, request } from 'node:http';
import { expect } from 'vitest';
import { awayFromTheFullHour } from './clock.ts';

interface Wanted {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** One request, by a connection of its own, as the client 127.0.0.CLIENT. */
export const visit = (port: number, client: number, path: string, wanted: Wanted = {}): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, localAddress: `127.0.0.${client}`, path, agent: false, ...wanted };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end();
  });

export interface Visited {
  readonly port: number;
  readonly password: string;
}

const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** What a Chrome sends that has logged in to an instance. */
export const loggedIn = (password: string): OutgoingHttpHeaders => ({
  authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
  'user-agent': agent,
});

/** Six people open their mailbox in MailDev's WebClient. */
export const sixVisits = async ({ port, password }: Visited): Promise<void> => {
  await awayFromTheFullHour();
  for (let client = 2; client <= 7; client += 1) {
    const { status } = await visit(port, client, '/api/email', { headers: loggedIn(password) });
    expect(status).toBe(200);
  }
};
