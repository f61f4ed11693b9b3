/**
 * The questions of an installation, typed at a real terminal: what a key means, keys that were typed too early, and every way of walking
 * away. Nothing is changed by any of them until the last question is answered.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario, scenario } from '../support/scenario.ts';
import { type TypedTerminal, terminal } from '../support/terminal.ts';

let world: Scenario;
let flags: string[];
beforeAll(async () => {
  world = await makeScenario([]);
});
afterAll(() => endScenario(world));
beforeEach(async () => {
  const [web, smtp] = await freePorts(2);
  flags = ['--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`, '--set', 'listen=127.0.0.1'];
});

const consent = 'Count them? (y/N, p to preview)';
const last = 'Go ahead? (Y/n)';
const install = (options?: Parameters<typeof terminal>[2]): TypedTerminal =>
  terminal(world, ['install', ...flags], options);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const nothingChanged = () => existsSync(world.path('instances'));

describe('a home that may not be written', () => {
  it.each(['not/there', 'there'])('is refused before anything is asked (%s)', async (name) => {
    const folder = sandbox();
    mkdirSync(join(folder, 'there'));
    for (const path of [folder, join(folder, 'there')]) chmodSync(path, 0o555);
    const screen = terminal(world, ['install', '--home', join(folder, name)]);
    expect(await screen.ended()).toBe(3);
    expect(screen.text().replace(/\s+/g, ' ')).toContain(`This is not permitted here: ${folder}/`);
    expect(screen.text()).not.toContain('WebClient port');
  });
});

describe('the question about a setting', () => {
  it('has its help above it, where there is one', async () => {
    const screen = terminal(world, ['install', 'haraka']);
    await screen.see('  The server accepts mail for it and calls itself so');
    await screen.see('? Mail domain');
    screen.type('\r');
    await screen.see('? SMTP port');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
    expect(screen.text().match(/The server accepts/g)).toHaveLength(1);
  });
});

describe('the question about telemetry', () => {
  it('takes Enter for a no', async () => {
    const screen = install();
    await screen.see(consent);
    screen.type('\r');
    await screen.see('Count them? No');
    await screen.see(last);
    screen.type('n\r');
    expect(await screen.ended()).toBe(130);
    expect(nothingChanged()).toBe(false);
  });

  it.each(['y', 'Y', 'yes', 'YES'])('takes %s and Enter for a yes', async (keys) => {
    const screen = install();
    await screen.see(consent);
    screen.type(`${keys}\r`);
    await screen.see('Count them? Yes');
    await screen.see(last);
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it.each(['n', 'no'])('takes %s and Enter for a no', async (keys) => {
    const screen = install();
    await screen.see(consent);
    screen.type(`${keys}\r`);
    await screen.see('Count them? No');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it('is left standing by any other key', async () => {
    const screen = install();
    await screen.see(consent);
    for (const key of ['x', ' ', '1', '\t', '\u001b[A', '\u001b[C', '.', 'j']) {
      screen.type(key);
      await pause(60);
    }
    expect(screen.text()).not.toMatch(/Count them\? (Yes|No)/);
    expect(screen.text()).not.toContain(last);
    screen.type('\r');
    await screen.see('Count them? No');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it('shows an example report at p, bars and bytes, and comes back', async () => {
    const screen = install();
    await screen.see(consent);
    screen.type('p');
    await screen.see('Count them? Preview');
    await screen.see('EXAMPLE: nothing is counted');
    await screen.see('mailbox opened');
    await screen.see('████');
    await screen.see('safari-mobile');
    await screen.see('{"resourceMetrics":');
    await screen.see('more lines. All of them:');
    await screen.see('assent telemetry preview maildev@3.0.0 --raw');
    await screen.see(consent);
    screen.type('yP');
    await pause(200);
    expect(screen.text().match(/Count them\? Preview/g)).toHaveLength(1);
    screen.type('\u007fP');
    await screen.see('Count them? Preview');
    await screen.see(consent);
    screen.type('\r');
    await screen.see('Count them? No');
    await screen.see(last);
    screen.type('n\r');
    expect(await screen.ended()).toBe(130);
    expect(nothingChanged()).toBe(false);
    const wide = screen
      .text()
      .split(/\r?\n|\r/)
      .filter((line) => line.length > 80);
    expect(wide.filter((line) => !/^(?:\{"|\? Count)/.test(line))).toEqual([]);
  });

  it('names in the example what was typed for a manifest of your own', async () => {
    quickProduct(world.folder, 'maildev', (manifest) => Object.assign(manifest, { name: 'my-mail' }));
    const screen = terminal(world, ['install', './maildev/manifest.yaml', ...flags]);
    await screen.see(consent);
    screen.type('p');
    const command = 'assent telemetry preview ./maildev/manifest.yaml@3.0.0 --raw';
    await screen.see(command);
    await screen.see(consent);
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
    const { exit, stdout } = await world.run(command.split(' ').slice(1));
    expect({ exit, begins: stdout.slice(0, 18) }).toEqual({ exit: 0, begins: '{"resourceMetrics"' });
  });

  it('takes nothing that was typed ahead of its return', async () => {
    const screen = install();
    await screen.see(consent);
    screen.type('py\ry\r');
    await screen.see('more lines. All of them:');
    await screen.see(consent);
    await pause(400);
    expect(screen.text()).not.toMatch(/Count them\? (Yes|No)/);
    screen.type('\r');
    await screen.see('Count them? No');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it('discards what was typed before it was drawn', async () => {
    const screen = install();
    screen.type('y\ryes\ry\r');
    await screen.see(consent);
    await pause(400);
    expect(screen.text()).not.toMatch(/Count them\? (Yes|No)/);
    screen.type('\r');
    await screen.see('Count them? No');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it('is not asked where CI is set, and is where it is set to false', async () => {
    const automated = install({ env: { CI: 'true' } });
    expect(await automated.ended()).toBe(4);
    expect(automated.text()).not.toContain(consent);
    const person = install({ env: { CI: 'false' } });
    await person.see(consent);
    person.type('\u0003');
    expect(await person.ended()).toBe(130);
  });

  it('is not asked under DO_NOT_TRACK, which is said', async () => {
    const screen = install({ env: { DO_NOT_TRACK: '1' } });
    await screen.see('DO_NOT_TRACK is set');
    await screen.see(last);
    expect(screen.text()).not.toContain(consent);
    screen.type('n\r');
    expect(await screen.ended()).toBe(130);
  });

  it('is not asked behind --telemetry=off', async () => {
    const screen = terminal(world, ['install', ...flags, '--telemetry=off']);
    await screen.see(last);
    expect(screen.text()).not.toContain(consent);
    screen.type('n\r');
    expect(await screen.ended()).toBe(130);
  });
});

describe('walking away', () => {
  it.each([
    ['Ctrl-C', '\u0003'],
    ['end of input', '\u0004'],
  ])('with %s at any question changes nothing', async (_, key) => {
    for (const question of ['WebClient port', consent, last]) {
      const screen = question === 'WebClient port' ? terminal(world, ['install']) : install();
      if (question === last) {
        await screen.see(consent);
        screen.type('\r');
      }
      await screen.see(question);
      screen.type(key);
      expect(await screen.ended(), question).toBe(130);
      expect(screen.text()).toContain('Nothing was changed');
      expect(nothingChanged()).toBe(false);
    }
  });

  it('by closing the terminal changes nothing', async () => {
    const screen = install();
    await screen.see(consent);
    screen.close();
    expect(await screen.ended()).toBe(130);
    expect(nothingChanged()).toBe(false);
  });

  it('by a signal changes nothing', async () => {
    const screen = install();
    await screen.see(consent);
    process.kill(screen.pid, 'SIGTERM');
    expect(await screen.ended()).toBe(130);
    expect(nothingChanged()).toBe(false);
  });
});

describe('a rollback', () => {
  it('asks for the data of then or of now, with the default marked, and not where it was told or is only looked at', async () => {
    const both = await scenario(['maildev@2.2.1', 'maildev@3.0.0']);
    for (const change of [
      ['install', 'maildev@2.2.1', ...flags],
      ['upgrade', '--no-rehearsal'],
    ])
      expect((await both.run([...change, '--yes', '--telemetry=off'])).exit).toBe(0);
    const rollback = (...more: string[]) => terminal(both, ['rollback', '--telemetry=off', ...more]);

    const asked = rollback();
    await asked.see('> the data of now');
    await asked.see('what 3.0.0 has written');
    asked.type('\u001b[B');
    await asked.see('> the data of then');
    await asked.see('As 2.2.1 left it');
    asked.type('\r');
    await asked.see('copy the data of then');
    await asked.see(last);
    asked.type('n\r');
    expect(await asked.ended()).toBe(130);

    for (const more of [['--data', 'then'], ['--dry-run']]) {
      const told = rollback(...more);
      await told.see(`copy the data of ${more[1] ?? 'now'}`);
      expect(told.text()).not.toContain('With which data?');
      told.type('\u0003');
      await told.ended();
    }
    const away = rollback();
    await away.see('With which data?');
    away.type('\u0003');
    expect(await away.ended()).toBe(130);
    expect((await both.json(['status'])).document.instance).toMatchObject({ version: '3.0.0', generation: 2 });
  });
});

describe('a setting', () => {
  it('that is not valid is asked again, and says why', async () => {
    const screen = terminal(world, ['install']);
    await screen.see('WebClient port');
    screen.type('\u0015abc\r');
    await screen.see('is not a whole number');
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  it('that names a port which is taken says by whom', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const screen = terminal(world, ['install']);
    await screen.see('WebClient port');
    screen.type(`${port}\r`);
    await screen.see(`${port} is taken`);
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
    await new Promise((resolve) => server.close(resolve));
  });
});

it('colours nothing with --no-color or NO_COLOR, and fits 80 columns', async () => {
  for (const options of [{ args: ['--no-color'] }, { args: [], env: { NO_COLOR: '1' } }]) {
    const screen = terminal(world, ['install', ...flags, ...options.args], options.env ? { env: options.env } : {});
    await screen.see(consent);
    screen.type('\r');
    await screen.see(last);
    screen.type('n\r');
    await screen.ended();
    const codes = screen.raw().split('\u001b[').slice(1);
    expect(codes.filter((code) => /^[0-9;]*m/.test(code))).toEqual([]);
    const lines = screen.text().split(/\r?\n|\r/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  }
});
