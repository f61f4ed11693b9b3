/** Mail as a stranger sends it: through SMTP, with a library that is none of ours. */

import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';

/** Sends one mail; throws where the server does not take it. */
export const sendMail = async (port: number, subject: string, to = 'somebody@example.org'): Promise<void> => {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, connectionTimeout: 5000 });
  try {
    await transport.sendMail({ from: 'sender@example.org', to, subject, text: `The text of ${subject}.` });
  } finally {
    transport.close();
  }
};

/** Subjects of all mails below a folder, sorted: whatever looks like a message, however deep. */
export const subjectsBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => /^Subject: (.*?)\r?$/m.exec(readFileSync(join(entry.parentPath, entry.name), 'latin1'))?.[1] ?? '')
    .filter((subject) => subject !== '')
    .sort();

/** The first line that an SMTP server says; the conversation is ended properly. */
export const smtpBanner = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 5000 });
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      if (said === '') socket.write('QUIT\r\n');
      said += text;
    });
    socket.on('timeout', () => socket.destroy(new Error('The server says nothing')));
    socket.on('error', reject).on('close', () => resolve(said.split('\r\n')[0] ?? ''));
  });
