/**
 * Root looks into the home of another user: nothing that lies there is run as root, and nothing of root's is left behind, nor by a withdrawal.
 * Skipped, with the reason printed, where the tests do not run as root.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { idsOf, skipped } from '../support/as-root.ts';
import { programCopy } from '../support/program-copy.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import { set } from '../support/steps.ts';

let world: Scenario;

beforeAll(async () => {
  if (skipped) return;
  const folder = makeSandbox();
  const product = quickProduct(folder, 'maildev');
  world = await makeScenario([`${product}@3.0.0`]);
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const { document } = await world.json(['telemetry', 'notice', `${product}@3.0.0`]);
  const yes = ['--telemetry=on', `--telemetry-notice=${document.notice.id}`, '--yes'];
  const install = [
    'install',
    `${product}@3.0.0`,
    '--name',
    'mail',
    '--supervisor',
    'process',
    ...set({ webPort, smtpPort }),
  ];
  expect(await world.run([...install, ...yes])).toMatchObject({ exit: 0 });
  return async () => {
    await endScenario(world);
    removeSandbox(folder);
  };
});

const asRoot = (...args: string[]): { exit: number | null; document: Document } => {
  const command = join(programCopy(), 'bin/assent');
  const { status, stdout, stderr } = spawnSync(command, [...args, '--json'], { env: world.env, encoding: 'utf8' });
  expect(stdout, stderr).not.toBe('');
  return { exit: status, document: JSON.parse(stdout) };
};

const ofRoot = (): string[] =>
  spawnSync('find', [world.home, '-user', '0'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);

/** The private Nodes, from now on by way of a script that tells as whom they are run. */
const tellingNodes = (): { users: () => string[] } => {
  const told = join(world.folder, 'told');
  writeFileSync(told, '');
  chmodSync(told, 0o666);
  for (const folder of readdirSync(world.path('runtimes')).filter((name) => name.startsWith('node-'))) {
    const [node, real] = ['node', 'node.real'].map((name) => world.path('runtimes', folder, 'bin', name)) as [
      string,
      string,
    ];
    renameSync(node, real);
    writeFileSync(node, `#!/bin/sh\nid -u >>${told}\nexec ${real} "$@"\n`, { mode: 0o755 });
    onTestFinished(() => renameSync(real, node));
  }
  return { users: () => [...new Set(readFileSync(told, 'utf8').split('\n').filter(Boolean))] };
};

describe.skipIf(skipped)("root in another user's home", () => {
  it('runs what lies there as that user', () => {
    const { users } = tellingNodes();
    const { document } = asRoot('doctor', 'mail');
    expect(idsOf(document.findings)).not.toContain('runtime');
    expect(users()).toEqual([String(nobody?.uid)]);
  });

  it('sees that the server runs', () => {
    expect(asRoot('status', 'mail').document.instance).toMatchObject({ state: 'running', health: 'healthy' });
  });

  it('leaves nothing behind by looking', () => {
    const before = ofRoot();
    for (const words of [
      'status',
      'doctor',
      'logs',
      'telemetry status',
      'telemetry history',
      'telemetry receipt',
      'telemetry preview',
      'telemetry notice',
    ])
      asRoot(...words.split(' '), 'mail');
    expect(ofRoot()).toEqual(before);
  });

  it('makes no program by a withdrawal', () => {
    const programs = world.path('runtimes/assent');
    renameSync(programs, world.path('runtimes/assent-away'));
    onTestFinished(() => renameSync(world.path('runtimes/assent-away'), programs));
    const before = ofRoot();
    expect(asRoot('telemetry', 'off', 'mail')).toMatchObject({
      exit: 0,
      document: { consent: { state: 'withdrawn' } },
    });
    expect(existsSync(programs)).toBe(false);
    expect(ofRoot()).toEqual(before);
  });
});
