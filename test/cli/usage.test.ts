/**
 * What people and scripts get wrong on a command line: the exit code, a message that names the place, the nearest name, and nothing changed.
 * Every line is run for real, with --json, and its document is looked at as well.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario } from '../support/scenario.ts';

interface Bad {
  readonly line: string;
  readonly exit: number;
  /** Has to stand in message or advice. */
  readonly names: string;
  readonly env?: Readonly<Record<string, string>>;
}

const usage = (line: string, names: string): Bad => ({ line, exit: 2, names });

const bad: readonly Bad[] = [
  usage('instal', 'assent install'),
  usage('instal maildev', 'Did you mean "assent install"'),
  usage('telemetry of maildev', 'Did you mean "assent telemetry off"'),
  usage('status --home --quiet', 'It is an option'),
  usage('stauts', 'assent status'),
  usage('unknown-thing', 'unknown-thing'),
  usage('bundle maildev@3.0.0 -o x', 'bundle'),
  usage('support', 'support'),
  usage('completion bash', 'completion'),
  usage('telemetry preview --raw --html x.html', '--html'),
  usage('telemetry preview --raw --json', '--json'),
  usage('telemetry preview --html /nowhere/at/all/x.html', 'does not exist'),
  usage('telemetry preview --html /dev/null', 'device'),
  usage('telemetry of', 'assent telemetry off'),
  usage('telemetry off --exit-code', '--exit-code'),
  usage('telemetry --exit-code off', '--exit-code'),
  usage('telemetry --exit-code', 'Did you mean "assent telemetry status --exit-code"'),
  usage('telemetry on', 'assent reinstall'),
  usage('telemetry on maildev', 'assent reinstall maildev'),
  usage('products lst', 'assent products list'),
  usage('help nothing', 'nothing'),
  usage('install --telemtry=off', '--telemetry'),
  usage('install --telemetry=maybe', 'on, off'),
  usage('install --telemetry=of', 'on, off'),
  usage('install --telemetry', '--telemetry'),
  usage('install --telemetry=on --telemetry=off', 'twice'),
  usage('install --telemetry=', 'empty'),
  usage('install --telemetry-notice n0123456789abcdef', '--telemetry=on'),
  usage('install --no-telemetry', '--no-telemetry'),
  usage('install --yess', '--yes'),
  usage('install --yes=true', '--yes'),
  usage('install --dryrun', '--dry-run'),
  usage('install --install-dir=/srv', '--install-dir'),
  usage('install maildev haraka', 'oo many arguments'),
  usage('install --set webPort', 'KEY=VALUE'),
  usage('install --set =8080', 'KEY=VALUE'),
  usage('install --set webPort=1 --set webPort=2', 'webPort'),
  usage('install --set webport=8080', 'webPort'),
  usage('install --set webPort=http', 'webPort'),
  usage('install --set webPort=70000', '65535'),
  usage('install --set webPort=0', 'webPort'),
  usage('install --set webPort=http --set smtpPort=70000', 'smtpPort (SMTP port): "70000"'),
  usage('install --set webPort=8025 --set smtpPort=8025', '8025'),
  usage('install --set listen=localhst', 'listen'),
  usage('install --set webPassword=hunter2', '@file'),
  usage('install --set webPassword=@file:/nowhere', '/nowhere'),
  usage('install --set webPassword=@env:NOT_SET_AT_ALL', 'NOT_SET_AT_ALL'),
  usage('install --set constructor=1', 'constructor'),
  usage('install --set __proto__=1', '__proto__'),
  usage('install --answers nowhere.yaml', 'nowhere.yaml'),
  usage('install --answers .', 'answers'),
  usage('install --answers bad.yaml', 'bad.yaml:2'),
  usage('install --save-answers /dev/full', '/dev/full'),
  usage('install --save-answers nowhere/answers.yaml', 'nowhere/answers.yaml'),
  usage('install --name Mail', 'Mail'),
  usage('install --name ../etc', '../etc'),
  usage('install --name', '--name'),
  usage('install --supervisor sysvinit', 'systemd, process, none'),
  usage('install --from bundle.tar', '--from'),
  usage('install --ack ,', '--ack'),
  usage('install --dry-run --ack no-such-danger PORTS', 'no-such-danger'),
  usage('install --home=', '--home'),
  usage('install --quiet --verbose', '--verbose'),
  usage('rollback --data yesterday', 'then, now'),
  usage('rollback --set webPort=1', '--set'),
  usage('uninstall --force', '--force'),
  usage('upgrade --to', '--to'),
  usage('recover --finish --undo', '--undo'),
  usage('status --exitcode', '--exitcode'),
  usage('status one two', 'oo many arguments'),
  usage('status --telemetry=off', '--telemetry'),
  usage('logs --lines many', 'whole number'),
  usage('logs --lines=-1', 'whole number'),
  usage('products check', 'file'),
  usage('products check bad.yaml', 'bad.yaml:'),
  usage('products show', 'product'),
  usage('telemetry notice maildev@3.0.0 --to 2.2.1', '2.2.1'),
  usage('telemetry notice maildev --set webport=1', 'webPort'),
  usage('telemetry off mail --all', '--all'),
  { line: 'status mail', exit: 10, names: 'mail' },
  { line: 'status', exit: 2, names: 'ASSENT_HOME', env: { ASSENT_HOME: '/tmp/\u0007' } },
  { line: 'upgrade', exit: 10, names: 'assent install' },
  { line: 'rollback mail', exit: 10, names: 'mail' },
  { line: 'uninstall --yes', exit: 10, names: 'assent install' },
  { line: 'logs', exit: 10, names: 'assent install' },
  { line: 'run', exit: 10, names: 'assent install' },
  { line: 'start maildv', exit: 10, names: 'maildv' },
  { line: 'recover', exit: 10, names: 'assent install' },
  { line: 'doctor mail', exit: 10, names: 'mail' },
  { line: 'telemetry off', exit: 10, names: 'assent install' },
  { line: 'install maildevv', exit: 10, names: '"maildev"' },
  { line: 'install maildev@9.9.9', exit: 10, names: '3.0.0' },
  { line: 'install maildev@', exit: 10, names: 'No version stands behind "maildev@". There are: 2.2.1, 3.0.0' },
  { line: 'install @', exit: 10, names: 'No product stands before the "@" of "@". The catalogue has: actual, ' },
  { line: 'install @3.0.0', exit: 10, names: 'The catalogue has: actual, ' },
  { line: 'install Mail', exit: 10, names: 'Did you mean "maildev"' },
  { line: 'install ./nowhere/manifest.yaml', exit: 10, names: 'nowhere/manifest.yaml' },
  { line: 'products show hraka', exit: 10, names: '"haraka"' },
  { line: 'products check ./nowhere.yaml', exit: 10, names: 'nowhere.yaml' },
  { line: 'products check maildv', exit: 10, names: 'Did you mean "maildev"' },
  { line: 'telemetry notice maildev@1.0.0', exit: 10, names: '2.2.1' },
  { line: 'install PORTS', exit: 4, names: '--yes' },
];

let world: Scenario;
let ports: string;
beforeAll(async () => {
  const [web, smtp] = await freePorts(2);
  ports = `--set webPort=${web} --set smtpPort=${smtp}`;
  world = await makeScenario([]);
  writeFileSync(join(world.folder, 'bad.yaml'), 'product: maildev\nsetings: {}\n');
  mkdirSync(world.home, { recursive: true });
});
afterAll(() => endScenario(world));

it('a product of the catalogue is checked by its name', async () => {
  const { exit, document } = await world.json(['products', 'check', 'maildev']);
  expect({ exit, names: document.products.map(({ name }: { name: string }) => name) }).toEqual({
    exit: 0,
    names: ['maildev'],
  });
});

describe('a bad command line', () => {
  it.concurrent.each(bad)('assent $line', async ({ line, exit, names, env }) => {
    const result = await world.json(line.replace('PORTS', ports).split(' '), env === undefined ? {} : { env });
    const { ok, changed, outcome, error } = result.document;
    expect({ exit: result.exit, told: error.exit, ok, changed, outcome }).toEqual({
      exit,
      told: exit,
      ok: false,
      changed: false,
      outcome: 'refused',
    });
    expect(`${error.message} ${error.advice}`).toContain(names);
    expect(result.stderr).toContain(error.message.slice(0, 20));
    expect(result.stderr).not.toMatch(/hunter2|\n\s+at /);
  });

  it('leaves nothing behind', () => {
    expect(existsSync(join(world.home, 'instances'))).toBe(false);
    expect(readdirSync(world.folder).sort()).toEqual(['bad.yaml', 'home', 'user']);
  });
});
