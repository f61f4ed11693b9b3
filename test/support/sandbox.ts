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
  rmSync(folder, { recursive: true, force: true, maxRetries: 4, retryDelay: 1000 });
};

/**
 * That many different ports of the address which nobody has right now. It may take a while until somebody listens there, so they are none of those that the kernel gives to
 * whoever asks for any port (32768 and up), and each worker has its own thousands of them.
 */
export const freePorts = async (count: number, address = '127.0.0.1'): Promise<number[]> => {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries > band.size) throw new Error(`No ${count} free ports of ${address} from ${band.first}`);
    const port = band.first + (next++ % band.size);
    if (await isFree(address, port)) found.push(port);
  }
  return found;
};

const bandSize = 2000;
const band = { first: 12_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 10) * bandSize, size: bandSize };
let next = Math.floor(Math.random() * bandSize);

export const freePort = async (address = '127.0.0.1'): Promise<number> => {
  const [port] = await freePorts(1, address);
  if (port === undefined) throw new Error('No free port');
  return port;
};

const isFree = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });

export const isRoot = process.geteuid?.() === 0;

/** Skips the test for others than root, with the reason. */
export const asRoot = (skip: (condition: boolean, why: string) => unknown): void => void skip(!isRoot, 'needs root');
