/** A service for a test: an instance's folders in a sandbox, a spec that runs one of the fixture servers, and its end afterwards. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { supervisors } from '../../src/service/supervisor.ts';
import type { InstanceName, ProductName, Version } from '../../src/values.ts';
import { freePort, isRoot, sandbox } from './sandbox.ts';

/** As root the servers of tests run as nobody. */
export const account = isRoot ? { name: 'nobody', uid: 65534, gid: 65534, made: false } : null;

export interface TestService {
  spec: ServiceSpec;
  paths: InstancePaths;
  port: number;
  /** The same service with another spec: what a test changes. */
  with(changes: Partial<ServiceSpec>): ServiceSpec;
}

/** A service that runs `test/fixtures/servers/SERVER` with a free port and these flags, stopped when the test ends. */
export const testService = async (server = 'web.mjs', flags: readonly string[] = []): Promise<TestService> => {
  const service = makeService(sandbox(), await freePort(), server, flags);
  onTestFinished(() => supervisors.process.stop(service.spec));
  return service;
};

export const makeService = (home: string, port: number, server: string, flags: readonly string[]): TestService => {
  const paths = instancePaths(home, 'mail' as InstanceName);
  for (const folder of [paths.config, paths.data, paths.logs, paths.run, paths.secrets])
    mkdirSync(folder, { recursive: true });
  if (account !== null)
    for (const folder of [paths.data, paths.logs, paths.run]) chownSync(folder, account.uid, account.gid);
  const script = resolve('test/fixtures/servers', server);
  const spec: ServiceSpec = {
    instance: 'mail' as InstanceName,
    product: 'web' as ProductName,
    supervisor: 'process',
    title: 'Web 1.0.0 (mail)',
    version: '1.0.0' as Version,
    digest: '0123456789ab',
    generation: 1,
    runs: true,
    command: [process.execPath, script, String(port), ...flags],
    environment: environment(paths),
    environmentFile: null,
    directory: paths.data,
    account,
    stopSignal: 'SIGTERM',
    stopSeconds: 5,
    startSeconds: 10,
    prepare: [],
    jit: true,
    ownTelemetry: null,
    companions: { follow: null, send: null },
    health: { stableSeconds: 1, checks: server === 'web.mjs' ? [httpCheck(port)] : [smtpCheck(port)] },
    paths,
    host: {
      program: testProgram,
      preload: join(dirname(testProgram.main), 'count-preload.mjs'),
      triplet: 'x86_64-linux-gnu',
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      home,
      userUnits: join(home, 'units'),
    },
    node: process.execPath,
    ports: [port],
    listensWide: false,
  };
  write(spec);
  return { spec, paths, port, with: (changes) => write({ ...spec, ...changes }) };
};

export const httpCheck = (port: number) =>
  ({
    kind: 'http',
    url: `http://127.0.0.1:${port}/`,
    status: 200,
    headers: {},
    login: null,
    body: null,
    json: null,
    versionPath: null,
  }) as const;

export const smtpCheck = (port: number) =>
  ({ kind: 'smtp', host: '127.0.0.1', port, banner: '^220 .*ESMTP', version: 'Haraka/(\\S+)', domain: null }) as const;

const testProgram = { node: process.execPath, main: resolve('test/support/run-spec-main.ts') };

/** Begins in the home's runtimes, as real ones do: that is how survivors are known. */
const environment = ({ home, data }: InstancePaths): Record<string, string> => ({
  PATH: `${home}/runtimes/node/bin:/usr/local/bin:/usr/bin:/bin`,
  HOME: data,
  LANG: 'C.UTF-8',
});

const write = (spec: ServiceSpec): ServiceSpec => {
  writeFileSync(join(dirname(spec.paths.state), 'spec.json'), JSON.stringify(spec));
  return spec;
};

/** Tries until it holds; the last error otherwise. The longer it has taken, the longer the pauses: a try may be a whole command, in a box. */
export const eventually = async <T>(action: () => T | Promise<T>, ms = 10_000): Promise<T> => {
  const begin = performance.now();
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const spent = performance.now() - begin;
      if (spent > ms) throw error;
      await new Promise((done) => setTimeout(done, Math.min(Math.max(spent / 10, 20), 500)));
    }
  }
};
