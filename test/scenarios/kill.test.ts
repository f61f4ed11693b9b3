/**
 * Killed with SIGKILL right after, and right before, every write to the journal of every kind of change: afterwards `recover`
 * ends in the old state or in the new one, never between, and a second `recover` changes nothing. The same for `recover` itself, killed in
 * its turn. The installation before was made with a yes to telemetry: whatever happens, it is over.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashed } from '../support/crash.ts';
import { type Looks, leftovers, looksOf } from '../support/oracle.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Run, type Scenario, scenario } from '../support/scenario.ts';

/** One instance of MailDev in a world of its own, and how to bring it where a change starts from. */
interface Stage {
  readonly world: Scenario;
  readonly purge: () => Promise<unknown>;
  readonly install: () => Promise<unknown>;
  readonly fine: (...args: string[]) => Promise<Run>;
  readonly settings: readonly string[];
  readonly product: string;
  readonly looks: () => Promise<Looks>;
}

interface Change {
  readonly args: (stage: Stage) => string[];
  readonly prepare: (stage: Stage) => Promise<unknown>;
  /** Entries of its journal: the opening one, two for a step, the commit and the end. */
  readonly writes: number;
}

const changes: Record<string, Change> = {
  install: {
    args: ({ product, settings }) => ['install', `${product}@2.2.1`, ...settings, '--yes', '--telemetry=off'],
    prepare: ({ purge }) => purge(),
    writes: 21,
  },
  upgrade: { args: () => ['upgrade', 'maildev', '--yes'], prepare: ({ install }) => install(), writes: 25 },
  reinstall: {
    args: () => ['reinstall', 'maildev', '--yes', '--set', 'webUser=somebody'],
    prepare: ({ install }) => install(),
    writes: 25,
  },
  rollback: {
    args: () => ['rollback', 'maildev', '--yes'],
    prepare: async ({ install, fine }) => {
      await install();
      await fine('upgrade', 'maildev', '--yes');
    },
    writes: 25,
  },
  uninstall: { args: () => ['uninstall', 'maildev', '--yes'], prepare: ({ install }) => install(), writes: 15 },
};

/** `recover` of an upgrade that was killed while its new server was starting: backward by itself, forward when asked. */
const recoveries = { undo: 13, finish: 7 } as const;

describe.concurrent.for(Object.entries(recoveries))('recover --%s', ([towards, writes]) => {
  it('is old or new after a kill behind any entry of it', { timeout: 1_200_000 }, async ({ onTestFinished }) => {
    const stage = await makeStage(onTestFinished);
    const args = ['upgrade', 'maildev', '--yes'];
    const interrupt = async () => expect((await crash(stage, args, whileStarting)).signal).toBe('SIGKILL');
    await stage.install();
    const old = await stage.looks();
    await stage.fine(...args);
    const fresh = await stage.looks();
    for (let at = 1; at <= writes; at += 1) {
      if ((await stage.looks()).current !== old.current || at === 1) await stage.install();
      await interrupt();
      const killed = await crash(stage, ['recover', 'maildev', `--${towards}`], at);
      expect(killed.signal, `write ${at} of recover --${towards}: ${killed.stderr}`).toBe('SIGKILL');
      const isOld = await endsIn(stage, old, fresh, `recover --${towards} killed behind write ${at}`, at);
      if (towards === 'undo') expect(isOld).toBe(true);
    }
    if ((await stage.looks()).current !== old.current) await stage.install();
    await interrupt();
    const whole = await crash(stage, ['recover', 'maildev', `--${towards}`], writes + 1);
    expect(whole, 'the journal has as many entries as were tried').toMatchObject({ exit: 0, signal: null });
  });
});

/** Which write of an upgrade's journal says that the start is begun. */
const whileStarting = 20;

describe.concurrent.for(Object.entries(changes))('%s', ([kind, change]) => {
  it('is old or new after a kill behind any entry of its journal', { timeout: 1_200_000 }, async ({
    onTestFinished,
  }) => {
    const stage = await makeStage(onTestFinished);
    await change.prepare(stage);
    const old = await stage.looks();
    await stage.fine(...change.args(stage));
    const fresh = await stage.looks();
    expect(fresh).not.toEqual(old);
    let prepared = false;
    for (let at = 1; at <= change.writes; at += 1) {
      if (!prepared) await change.prepare(stage);
      const killed = await crash(stage, change.args(stage), at);
      expect(killed.signal, `write ${at} of ${kind}: ${killed.stderr}`).toBe('SIGKILL');
      prepared = await endsIn(stage, old, fresh, `${kind} killed behind write ${at}`, at);
    }
    if (!prepared) await change.prepare(stage);
    const whole = await crash(stage, change.args(stage), change.writes + 1);
    expect(whole, 'the journal has as many entries as were tried').toMatchObject({ exit: 0, signal: null });
  });
});

/** Each test ends what it began, also where it fails. */
const makeStage = async (onTestFinished: (end: () => void) => void): Promise<Stage> => {
  const folder = makeSandbox();
  onTestFinished(() => removeSandbox(folder));
  const product = quickProduct(folder, 'maildev');
  const world = await scenario([`${product}@2.2.1`, `${product}@3.0.0`], onTestFinished);
  const [web, smtp] = await freePorts(2);
  // A password of our own: a generated one would make every installation another one.
  const password = join(world.folder, 'password');
  writeFileSync(password, 'not-a-generated-one\n', { mode: 0o644 });
  const given = [`webPort=${web}`, `smtpPort=${smtp}`, `webPassword=@file:${password}`];
  const settings = given.flatMap((setting) => ['--set', setting]);
  const fine = async (...args: string[]): Promise<Run> => {
    const run = await world.run(args);
    expect(run, `${args.join(' ')}: ${run.stderr}`).toMatchObject({ exit: 0 });
    return run;
  };
  const purge = () => world.run(['uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes']);
  const install = async () => {
    await purge();
    const notice = (await world.json(['telemetry', 'notice', `${product}@2.2.1`])).document.notice.id;
    const yes = ['--telemetry=on', `--telemetry-notice=${notice}`];
    await fine('install', `${product}@2.2.1`, ...settings, '--yes', ...yes);
    expect(await consentOf(world)).toMatchObject({ collecting: true });
  };
  const looks = () => looksOf(world, 'maildev', () => answersAt(web ?? 0));
  return { world, purge, install, fine, settings, product, looks };
};

/** Which MailDev answers: 3.0.0 has another API than 2.2.1. */
const answersAt = async (port: number): Promise<string> => {
  const status = async (path: string): Promise<number> => {
    try {
      return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    } catch {
      return 0;
    }
  };
  return `healthz ${await status('/healthz')}, api ${await status('/api/healthz')}`;
};

const crash = ({ world }: Stage, args: readonly string[], at: number): Promise<Run> => crashed(world, args, at);

const consentOf = async (world: Scenario) => (await world.json(['telemetry', 'status', 'maildev'])).document.consent;

/** Recovers, and says whether the world is the old one again. What is the same at each write is looked at for each fifth. */
const endsIn = async (
  { world, looks }: Stage,
  old: Looks,
  fresh: Looks,
  what: string,
  at: number,
): Promise<boolean> => {
  const { document } = await world.json(['status', 'maildev']);
  if (document.instance?.unfinished !== undefined) {
    if (at % 5 === 1) expect((await world.run(['upgrade', 'maildev', '--yes'])).exit, what).toBe(8);
    expect(await consentOf(world), what).toMatchObject({ collecting: false, reason: 'change-unfinished' });
    const recovered = await world.run(['recover', 'maildev']);
    expect(recovered, `${what}: ${recovered.stderr}`).toMatchObject({ exit: 0 });
  }
  const now = await looks();
  const isOld = JSON.stringify(now) === JSON.stringify(old);
  expect(now, what).toEqual(isOld ? old : fresh);
  expect(leftovers(world, 'maildev'), what).toEqual([]);
  // What is not installed any more has no status.
  if (now.current !== null) expect(await consentOf(world), what).toMatchObject({ collecting: false });
  if (at % 5 === 2) {
    const again = await world.json(['recover', 'maildev']);
    expect([0, 10], what).toContain(again.exit);
    expect(await looks(), `${what}: a second recover`).toEqual(now);
  }
  return isOld;
};
