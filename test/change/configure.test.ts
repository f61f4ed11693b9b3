/** What becomes of an edited configuration file whose bytes are no UTF-8: nobody asked for another encoding, so not one byte of it changes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { type Configuration, configure, stageConfiguration } from '../../src/change/configure.ts';
import type { InstancePaths } from '../../src/instance/paths.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import type { Product, Release } from '../../src/product/manifest.ts';
import { realWorld } from '../../src/system/world.ts';
import { asInstanceName } from '../../src/values.ts';
import { inMemory, sure, testWorld } from '../consent/support.ts';
import { sandbox } from '../support/sandbox.ts';

const written = 'Subject: failed\n\nHello\n';
const latin1 = Buffer.from('Subject: failed\n\nGr\u00fc\u00dfe\n', 'latin1');

let folder: string;
let paths: InstancePaths;

/** An instance for which `written` was written, and whose file has been replaced by `latin1`. */
beforeEach(() => {
  folder = sandbox(inMemory);
  paths = instancePaths(folder, sure(asInstanceName('mail')));
  for (const [into, content] of [
    [paths.config, latin1],
    [paths.configBase, written],
  ] as const) {
    mkdirSync(into, { recursive: true });
    writeFileSync(join(into, 'bounce'), content);
  }
});

/** Staged for a release whose template is this text, or which has no such file. */
const stagedFor = (template: string | null): Configuration => {
  writeFileSync(join(folder, 'template'), template ?? '');
  const config = template === null ? [] : [{ template: 'template', file: 'bounce', secret: false }];
  const configuration = configure({
    world: testWorld(),
    paths,
    product: { name: 'mail', title: 'Mail', folder, settings: [], urls: {} } as unknown as Product,
    release: { version: '2.0.0', config } as unknown as Release,
    settings: {},
    givenSecrets: {},
    node: undefined,
    releaseFolder: folder,
  });
  stageConfiguration(paths, configuration, null);
  return configuration;
};
const next = (file: string): Buffer => readFileSync(join(`${paths.config}.next`, file));

it.each([
  ['wants what it wanted before', written],
  ['has no such file any more', null],
])('is carried along byte for byte where the release %s', (_, template) => {
  const { dangers } = stagedFor(template);
  expect(next('bounce')).toEqual(latin1);
  expect(dangers).toEqual([]);
});

it('is a conflict where something else is wanted, be it in another line, and stays as it is', () => {
  const wanted = written.replace('Subject: failed', 'Subject: not delivered');
  const { dangers } = stagedFor(wanted);
  expect(dangers).toEqual([expect.objectContaining({ id: 'config-conflict:bounce' })]);
  expect(dangers[0]?.message).toContain('is not UTF-8');
  expect(next('bounce')).toEqual(latin1);
  expect(next('bounce.new').toString()).toBe(wanted);
});

/** What is generated for a secret of this pattern. */
const generatedFor = (pattern: string): string => {
  const setting = { name: 'pin', title: 'Pin', type: 'secret', required: true, ask: false, generate: 12, pattern };
  const product = { name: 'mail', title: 'Mail', folder, settings: [setting], urls: {} } as unknown as Product;
  const release = { version: '2.0.0', config: [] } as unknown as Release;
  const options = { paths, product, release, settings: {}, givenSecrets: {}, node: undefined, releaseFolder: folder };
  return configure({ ...options, world: realWorld() }).secrets.pin ?? '';
};

it('generates a secret until it is one that its setting allows, and none that is not', () => {
  for (let times = 0; times < 20; times += 1) expect(generatedFor('[a-z].*[0-9]')).toMatch(/^[a-z].{10}[0-9]$/);
  expect(() => generatedFor('[^a-z]*-')).toThrow(
    expect.objectContaining({ code: 'usage-manifest', advice: expect.stringContaining('--set pin=@file:PATH') }),
  );
});
