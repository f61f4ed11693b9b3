/**
 * A product whose packages lie on a registry of the test's own: small enough to be stored in a second, with everything that a real one has
 * (a scope, a nested package, a command, a script that must not run).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Product, parseManifest, type Release } from '../../src/product/manifest.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { archive, integrityOf, type Registry, startRegistry, type TarEntry } from '../source/registry.ts';
import { sandbox } from '../support/sandbox.ts';

export interface Sample {
  readonly folder: string;
  readonly home: string;
  readonly world: World;
  readonly product: Product;
  readonly release: Release;
  readonly registry: Registry;
  readonly paths: { readonly main: string; readonly helper: string };
  /** A file that is there once a script of the helper, which must not run, has run. */
  readonly ran: string;
}

export interface SampleOptions {
  readonly rebuild?: readonly string[];
  /** More files of the package `main`. */
  readonly files?: readonly TarEntry[];
  readonly scripts?: (ran: string) => Readonly<Record<string, string>>;
}

export const makeSample = async (options: SampleOptions = {}): Promise<Sample> => {
  const [folder, registry] = [sandbox(), await startRegistry()];
  const ran = join(folder, 'script-ran');
  const paths = { main: '/main/-/main-1.0.0.tgz', helper: '/@scope/helper/-/helper-1.0.0.tgz' };
  const main = archive([
    entry(
      'package.json',
      JSON.stringify({ name: 'main', version: '1.0.0', bin: { main: 'cli.js' }, scripts: options.scripts?.(ran) }),
    ),
    entry('cli.js', '#!/usr/bin/env node\nconsole.log("main runs")\n'),
    ...(options.files ?? []),
  ]);
  const helper = archive([
    entry(
      'package.json',
      JSON.stringify({ name: '@scope/helper', version: '1.0.0', scripts: { install: `touch '${ran}'` } }),
    ),
    entry('index.js', 'module.exports = 1\n'),
  ]);
  registry.serve(paths.main, main);
  registry.serve(paths.helper, helper);
  write(join(folder, 'product/manifest.yaml'), manifest(options.rebuild ?? []));
  write(join(folder, 'product/templates/server.conf'), 'port {{webPort}}\n');
  write(
    join(folder, 'product/locks/1.0.0/package.json'),
    JSON.stringify({ name: 'sample', dependencies: { main: '1.0.0' } }),
  );
  const packages = {
    '': { name: 'sample', dependencies: { main: '1.0.0' } },
    'node_modules/main': {
      version: '1.0.0',
      integrity: integrityOf(main),
      bin: { main: 'cli.js' },
      hasInstallScript: options.scripts !== undefined,
    },
    'node_modules/main/node_modules/@scope/helper': {
      version: '1.0.0',
      integrity: integrityOf(helper),
      hasInstallScript: true,
    },
  };
  write(
    join(folder, 'product/locks/1.0.0/package-lock.json'),
    JSON.stringify({ name: 'sample', lockfileVersion: 3, requires: true, packages }),
  );
  write(join(folder, '.npmrc'), `registry=${registry.url}\nnodedir=/usr\n`);
  const file = join(folder, 'product/manifest.yaml');
  const product = parseManifest(manifest(options.rebuild ?? []), file);
  const [release] = product.releases;
  if (release === undefined) throw new Error('no release');
  return { folder, home: join(folder, 'home'), world: worldOf(folder), product, release, registry, paths, ran };
};

export const entry = (path: string, text: string): TarEntry => ({ path: `package/${path}`, text });

/** npm's configuration is the sandbox's alone. */
export const worldOf = (folder: string): World => ({ ...realWorld(), env: { HOME: folder, PATH: '/usr/bin:/bin' } });

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

const manifest = (rebuild: readonly string[]): string => `format: 1
name: sample
title: Sample
summary: A server for tests
settings:
  webPort: { type: port, title: WebClient port, default: 1080 }
releases:
  - version: 1.0.0
    runtime: 24.21.0
    source: { kind: npm, lock: locks/1.0.0, rebuild: [${rebuild.join(', ')}] }
    size: { download: 1000, installed: 2000, files: 6 }
    service: { command: ["{{node}}", "{{release}}/node_modules/main/cli.js"] }
    config: [{ template: templates/server.conf, file: server.conf }]
    data: { format: 1 }
    health: { checks: [{ kind: http, url: "http://127.0.0.1:{{webPort}}/" }] }
`;
