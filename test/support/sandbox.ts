/**
 * A folder of its own for each test, gone afterwards with everything in it; and ports that nobody listens on.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder (mode 0755, so that another user may enter) that is removed when the running test ends. `parent` chooses another filesystem. */
export const sandbox = (parent: string = tmpdir()): string => {
  const folder = makeSandbox(parent);
  onTestFinished(() => removeSandbox(folder));
  return folder;
};

/** For hooks of a whole file, which clean up by themselves with removeSandbox. */
export const makeSandbox = (parent: string = tmpdir()): string => {
  const folder = mkdtempSync(join(parent, 'assent-test-'));
  chmodSync(folder, 0o755);
  return folder;
};

/** Folders are made writable first, where that matters to us: releases are read-only. Not files, which may be hard links of others. */
export const removeSandbox = (folder: string): void => {
  const make = ['-type', 'd', '-exec', 'chmod', 'u+rwx', '{}', '+'];
  if (!isRoot) spawnSync('find', [folder, ...make], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
};

/** That many different ports of the address which nobody has right now. All are held until the last is found. */
export const freePorts = async (count: number, address = '127.0.0.1'): Promise<number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(address)));
  await Promise.all(servers.map(({ close }) => close()));
  return servers.map(({ port }) => port);
};

export const freePort = async (address = '127.0.0.1'): Promise<number> => {
  const [port] = await freePorts(1, address);
  if (port === undefined) throw new Error('No free port');
  return port;
};

const listen = (address: string): Promise<{ port: number; close: () => Promise<void> }> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ host: address, port: 0, exclusive: true }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : 0;
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });

export const isRoot = process.geteuid?.() === 0;
