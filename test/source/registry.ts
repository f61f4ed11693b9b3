/**
 * A registry on this machine that serves what a test puts there: archives made on the spot, and every kind of trouble. It writes
 * down what it was asked and with which credentials.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { onTestFinished } from 'vitest';
import { asIntegrity, type Integrity, type Version } from '../../src/values.ts';

export interface Registry {
  readonly url: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  serve(path: string, answer: Answer): void;
}

export type Answer = Buffer | ((request: IncomingMessage, response: ServerResponse) => void);

export const startRegistry = async (): Promise<Registry> => {
  const answers = new Map<string, Answer>();
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization });
    const answer = answers.get(path);
    if (answer === undefined) response.writeHead(404).end('{}');
    else if (typeof answer === 'function') answer(request, response);
    else response.writeHead(200, { 'content-length': answer.length }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, requests, serve: (path, answer) => answers.set(path, answer) };
};

export interface TarEntry {
  readonly path: string;
  readonly text?: string;
  readonly mode?: number;
  /** tar's letter: 0 a file, 2 a link, 5 a folder. */
  readonly type?: '0' | '1' | '2' | '3' | '5';
  readonly link?: string;
}

/** A gzipped tar with exactly these entries, however wicked. */
export const archive = (entries: readonly TarEntry[]): Buffer => {
  const blocks = entries.flatMap(({ path, text = '', mode = 0o644, type = '0', link = '' }) => {
    const data = Buffer.from(text);
    const header = Buffer.alloc(512);
    new Header({ path, mode, size: data.length, type: typeNames[type], linkpath: link, mtime: new Date(0) }).encode(
      header,
      0,
    );
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
};

const typeNames = { '0': 'File', '1': 'Link', '2': 'SymbolicLink', '3': 'CharacterDevice', '5': 'Directory' } as const;

/** A small package's archive. */
export const packageArchive = (name: string, files: Readonly<Record<string, string>> = {}): Buffer =>
  archive([
    { path: 'package/package.json', text: JSON.stringify({ name, version: '1.0.0' }) },
    ...Object.entries(files).map(([path, text]) => ({ path: `package/${path}`, text })),
  ]);

export const integrityOf = (bytes: Buffer): Integrity => {
  const integrity = asIntegrity(`sha512-${createHash('sha512').update(bytes).digest('base64')}`);
  if (integrity === undefined) throw new Error('no integrity');
  return integrity;
};

export const wanted = (name: string, bytes: Buffer) => ({
  name,
  version: '1.0.0' as Version,
  integrity: integrityOf(bytes),
});
