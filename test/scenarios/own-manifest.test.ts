/**
 * docs/products.md taken at its word: a new user makes the page's example with the page's own commands, checks it, installs it, and has a
 * server that answers. Nothing here is not on the page but the port.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';
import { set } from '../support/steps.ts';

const page = readFileSync(join(repository, 'docs/products.md'), 'utf8');

let world: Scenario;
let web: string;
beforeAll(async () => {
  // The Node of the example is the one that the catalogue's products use: it needs not be fetched again.
  world = await makeScenario(['maildev@3.0.0']);
  web = `http://127.0.0.1:${await freePort()}`;
});
afterAll(() => endScenario(world));

/** The first block of commands below a heading of the page. */
const commandsOf = (heading: string): string => {
  const section = page.slice(page.indexOf(`\n### ${heading}\n`));
  const block = /\n```\n([\s\S]*?)\n```/.exec(section)?.[1];
  if (!page.includes(`\n### ${heading}\n`) || block === undefined) throw new Error(`no commands below "${heading}"`);
  return block;
};

/** Types commands as the user who has the page before them: with the machine's npm, in a folder of their own. */
const type = (commands: string): void => {
  const done = spawnSync('/bin/sh', ['-eu', '-c', commands], {
    cwd: world.folder,
    encoding: 'utf8',
    env: { ...world.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, ...npmOf(process.env) },
    ...nobody,
  });
  expect(done.status, done.stderr).toBe(0);
};

/** What the machine says about its registry. */
const npmOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && /^npm_config_(registry|userconfig|proxy|https_proxy|cafile)$/i.test(name)
        ? [[name, value]]
        : [],
    ),
  );

/** `assent ...` as the page has it, run where the page is at. */
const assent = async (line: string, ...more: string[]) => {
  expect(page, `the page says ${line}`).toContain(line);
  return world.json([...line.split(' ').slice(1), ...more]);
};

const manifest = './web-files/manifest.yaml';

it('is made with the commands and files of the page, and has no fault', async () => {
  const commands = commandsOf('1. The lockfile').split('\n');
  const isOurs = (command: string): boolean => command.startsWith('assent ');
  type(commands.filter((command) => !isOurs(command)).join('\n'));
  for (const [, file = '', text = ''] of page.matchAll(/<!-- example: (\S+) -->\n```\w*\n([\s\S]*?)```/g)) {
    const path = join(world.folder, 'web-files', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  for (const command of commands.filter(isOurs)) {
    const made = await assent(command);
    expect(made, made.stderr).toMatchObject({ exit: 0 });
  }
  expect(existsSync(join(world.folder, 'web-files/locks/14.1.1/package-lock.json'))).toBe(true);
  const { exit, document, stderr } = await assent(`assent products check ${manifest}`);
  expect({ exit, ok: document.ok }, stderr).toEqual({ exit: 0, ok: true });
});

it('is planned, and installed, and answers with its password and not without', async () => {
  const settings = set({ webPort: new URL(web).port });
  const planned = await assent(`assent install ${manifest} --dry-run`, ...settings);
  expect(planned.document, planned.stderr).toMatchObject({ ok: true, outcome: 'planned' });
  expect(existsSync(world.path('instances/web-files'))).toBe(false);

  const installed = await assent(`assent install ${manifest}`, ...settings, '--yes', '--telemetry=off');
  expect(installed.document, installed.stderr).toMatchObject({
    outcome: 'installed',
    instance: { name: 'web-files', version: '14.1.1', urls: { web }, health: 'healthy' },
    consent: { state: 'declined' },
  });
  const password = readFileSync(world.path('instances/web-files/secrets/webPassword'), 'utf8').trim();
  writeFileSync(world.path('instances/web-files/data/hello.txt'), 'hello\n');
  const authorization = `Basic ${Buffer.from(`files:${password}`).toString('base64')}`;
  const answer = await fetch(`${web}/hello.txt`, { headers: { authorization } });
  expect([answer.status, await answer.text()]).toEqual([200, 'hello\n']);
  expect((await fetch(`${web}/hello.txt`)).status).toBe(401);
});

it('is up to date, is reinstalled with another port, and goes', async () => {
  const upgraded = await assent('assent upgrade web-files', '--yes');
  expect(upgraded, upgraded.stderr).toMatchObject({ exit: 0, document: { outcome: 'unchanged' } });
  const port = await freePort();
  const moved = await world.json(['reinstall', 'web-files', ...set({ webPort: port }), '--yes']);
  expect(moved, moved.stderr).toMatchObject({ exit: 0, document: { instance: { health: 'healthy' } } });
  expect((await fetch(`http://127.0.0.1:${port}/hello.txt`)).status).toBe(401);
  const gone = await world.json(['uninstall', 'web-files', '--purge', '--ack', 'purge-data', '--yes']);
  expect(gone, gone.stderr).toMatchObject({ exit: 0, document: { outcome: 'uninstalled' } });
  expect(existsSync(world.path('instances/web-files'))).toBe(false);
});
