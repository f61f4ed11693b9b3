/**
 * The rule through the real command: vectors of consent-cases.json with a real MailDev, and what the rule promises beside them.
 * The other vectors run against the rule's code in test/consent/vectors.test.ts.
 */

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeHome } from '../consent/support.ts';
import { tamper } from '../consent/tamper.ts';
import {
  type Case,
  cases,
  clearScene,
  keepCopy,
  makeScene,
  makeTheatre,
  play,
  type Scene,
  type Theatre,
} from '../support/consent-play.ts';
import type { Document } from '../support/scenario.ts';
import { set } from '../support/steps.ts';
import { noTerminal, typeAnswer } from '../support/typing.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await makeTheatre();
});
afterAll(() => theatre.close());

/** By their place in the file: each way of asking, each way a change ends, each kind of change, and each event. */
const played = [
  ...[2, 3, 4, 5, 7, 10, 12, 17, 19, 25, 28, 30, 44, 52, 75, 79, 81, 84, 87],
  ...[118, 121, 126, 127, 129],
];
const typed = [0, 1, 13, 18, 25, 53];
const exits: Record<string, number> = {
  ...{ accepted: 0, 'not-asked': 20, 'change-undone': 20, 'notice-not-confirmed': 20, declined: 21, withdrawn: 21 },
  ...{ 'do-not-track': 22, 'record-invalid': 23, 'change-unfinished': 23, 'no-telemetry': 24 },
};

const caseAt = (at: number): Case => {
  const one = cases[at];
  if (one === undefined) throw new Error(`there is no vector ${at}`);
  return one;
};

const chosen = (numbers: readonly number[]): [string, Case, number][] =>
  numbers.map((at) => [caseAt(at).name, caseAt(at), at]);

/** `telemetry status` says what the vector expects, in its document and in its exit code; and nothing is there that could count. */
const expectStatus = async (scene: Scene, wanted: Case['expect']): Promise<Document> => {
  const document = await expectAnswer(scene, wanted);
  if (!wanted.collecting) expect(telemetryOf(scene.name)).toEqual([]);
  return document;
};

const expectAnswer = async ({ theatre: { world }, name }: Scene, wanted: Case['expect']): Promise<Document> => {
  const { exit, document } = await world.json(['telemetry', 'status', name, '--exit-code']);
  expect(document.consent).toMatchObject(wanted);
  expect(exit).toBe(exits[document.consent.reason]);
  return document;
};

/** What there is of the folder in which is counted. */
const telemetryOf = (name: string, ...inside: string[]): string[] => {
  const folder = theatre.world.path('instances', name, ...inside);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return inside.length > 0 ? names : names.filter((entry) => entry.startsWith('telemetry'));
};

describe.concurrent('a vector, by flags', () => {
  it.for(chosen(played))('%s', async ([, one, at], { onTestFinished }) => {
    const scene = await makeScene(theatre, `v${at}`);
    onTestFinished(() => clearScene(scene));
    await play(scene, one.events);
    await expectStatus(scene, one.expect);
  });
});

describe.skipIf(noTerminal !== null)('a vector, typed at a terminal', () => {
  it.for(chosen(typed))('%s', async ([, one, at], { onTestFinished }) => {
    const scene = await makeScene(theatre, `t${at}`, typeAnswer);
    onTestFinished(() => clearScene(scene));
    await play(scene, one.events);
    const { consent } = await expectStatus(scene, one.expect);
    if (consent.by !== null) expect(consent.by).toBe('prompt');
  });
});

describe('a yes on record', () => {
  let scene: Scene;
  const place = (...parts: string[]): string => theatre.world.path('instances', 'yes', ...parts);
  beforeAll(async () => {
    scene = await makeScene(theatre, 'yes');
    await play(scene, caseAt(4).events);
    keepCopy(scene, 'untouched');
  });
  afterAll(() => clearScene(scene));

  /** Done to the files by hand where the helper of the quick tests would leave files of another user behind. */
  const byHand: Record<string, () => void> = {
    'log-torn-after-last-decision': () => appendFileSync(place('consent.log'), '{"n":4,"kind":"quest'),
    'instance-cloned-to-another-name': () => {
      spawnSync('cp', ['-a', place(), theatre.world.path('instances', 'clone')]);
      scene.name = 'clone';
    },
    'consent-from-other-instance': () =>
      void spawnSync('cp', ['-a', theatre.world.path('instances', 'other', 'consent.json'), place('consent.json')]),
  };

  /** A second one with a yes of its own, only for that one vector. */
  const other = async (): Promise<void> => {
    const second = await makeScene(theatre, 'other');
    await play(second, caseAt(4).events);
  };

  const damages = cases.filter(({ events: [first, second, third] }) => first?.ends && second?.tamper && !third);
  const here = damages.filter(({ name }) => !name.includes('another machine'));
  it('is what some vectors damage', () => expect(here).not.toEqual([]));
  it.for(here.map((one) => [one.name, one] as const))('%s', async ([, one], { onTestFinished }) => {
    onTestFinished(async () => {
      rmSync(theatre.world.path('instances', 'clone'), { recursive: true, force: true });
      scene.name = 'yes';
      const copies = ['consent.json', 'consent.log', 'notices'].map((part) =>
        join(scene.folder, 'copies/untouched', part),
      );
      spawnSync('cp', ['-a', ...copies, place()]);
      await expectStatus(scene, { state: 'accepted', collecting: true, reason: 'accepted' });
    });
    const what = one.events[1]?.tamper ?? '';
    if (what === 'consent-from-other-instance') await other();
    if (byHand[what]) byHand[what]();
    else await tamper(makeHome(theatre.world.home, { name: 'yes' }), what);
    await expectAnswer(scene, one.expect);
    // The yes had made the folder, and no change has taken it away: whoever counts finds no consent, and leaves it empty.
    expect(telemetryOf(scene.name, 'telemetry/counts')).toEqual([]);
  });

  it("is not vetoed by the DO_NOT_TRACK of the asking shell, which is told apart from the server's", async () => {
    const env = { DO_NOT_TRACK: '1' };
    const { exit, document } = await theatre.world.json(['telemetry', 'status', 'yes', '--exit-code'], { env });
    expect({ exit, consent: document.consent }).toMatchObject({
      exit: 0,
      consent: { collecting: true, callerVetoes: true },
    });
    const { stdout } = await theatre.world.run(['telemetry', 'status', 'yes'], { env });
    expect(stdout).toContain('DO_NOT_TRACK');
  });

  it('is told by history and receipt, and is in no backup', async () => {
    const history = await theatre.world.json(['telemetry', 'history', 'yes']);
    expect(history.document.history.map(({ kind }: { kind: string }) => kind)).toEqual(['generation', 'answer']);
    const receipt = await theatre.world.json(['telemetry', 'receipt', 'yes']);
    expect(receipt.document.receipt).toMatchObject({ schema: 'assent-receipt/1' });
    expect(readdirSync(place('backups'), { recursive: true }).filter((name) => `${name}`.includes('consent'))).toEqual(
      [],
    );
  });
});

describe("a backup of the admin's own", () => {
  it('brings no yes back that was withdrawn after it; a reinstall asks anew, and a purge takes the mark along', async ({
    onTestFinished,
  }) => {
    const scene = await makeScene(theatre, 'restored');
    onTestFinished(() => clearScene(scene));
    const { world, notices } = theatre;
    const [folder, backup] = [world.path('instances/restored'), join(scene.folder, 'backup')];
    const mark = world.path('locks/restored.consent-mark');
    const fine = async (...args: string[]): Promise<void> => {
      const run = await world.run(args);
      expect(run, `${args.join(' ')}: ${run.stderr}`).toMatchObject({ exit: 0 });
    };
    const restore = async (): Promise<void> => {
      await fine('stop', 'restored');
      rmSync(folder, { recursive: true });
      spawnSync('cp', ['-a', backup, folder]);
      await fine('start', 'restored');
    };
    const accept = ['--telemetry=on', `--telemetry-notice=${notices['2.2.1'] ?? ''}`];
    const invalid = { state: 'invalid', collecting: false, reason: 'record-invalid' };
    await fine('install', `${scene.product}@2.2.1`, '--name', 'restored', ...set(scene.ports), '--yes', ...accept);
    await fine('stop', 'restored');
    spawnSync('cp', ['-a', folder, backup]);
    await fine('start', 'restored');
    await fine('telemetry', 'off', 'restored');
    await restore();
    await expectAnswer(scene, invalid);
    expect((await world.run(['telemetry', 'status', 'restored'])).stdout).toMatch(/restored\s+backup/);
    const history = await world.json(['telemetry', 'history', 'restored']);
    expect(history).toMatchObject({ exit: 3, document: { whole: false, error: { code: 'refused-history' } } });
    expect(history.document.error.message).toContain('most likely a backup was restored');
    const { document } = await world.json(['doctor', 'restored']);
    const findings = document.findings.map(({ id }: { id: string }) => id);
    expect(findings).toEqual(expect.arrayContaining(['consent-invalid', 'history-altered']));
    await fine('telemetry', 'off', 'restored');
    await expectStatus(scene, { state: 'withdrawn', collecting: false, reason: 'withdrawn' });
    await restore();
    await expectAnswer(scene, invalid);
    await fine('reinstall', 'restored', '--yes', ...accept);
    await expectAnswer(scene, { state: 'accepted', collecting: true, reason: 'accepted' });
    await fine('telemetry', 'history', 'restored');
    await fine('uninstall', 'restored', '--yes');
    expect(existsSync(mark)).toBe(true);
    await fine('uninstall', 'restored', '--purge', '--ack', 'purge-data', '--yes');
    expect(existsSync(mark)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('an answers file', () => {
  it('that was saved has a no, and never a yes', async ({ onTestFinished }) => {
    const scene = await makeScene(theatre, 'saved');
    onTestFinished(() => clearScene(scene));
    const { world, notices } = theatre;
    const files = world.path('..', 'user');
    const saved = async (file: string, ...args: string[]): Promise<string> => {
      const run = await world.run([...args, '--yes', '--save-answers', join(files, file)]);
      expect(run, run.stderr).toMatchObject({ exit: 0 });
      return readFileSync(join(files, file), 'utf8');
    };
    const install = ['install', `${scene.product}@2.2.1`, '--name', 'saved', ...set(scene.ports)];
    const id = notices['2.2.1'] ?? '';
    const yes = await saved('yes.yaml', ...install, '--telemetry=on', `--telemetry-notice=${id}`);
    expect(yes).not.toMatch(/^telemetry/m);
    expect(yes).not.toContain(id);
    await expectStatus(scene, { state: 'accepted', collecting: true, reason: 'accepted' });
    const no = await saved('no.yaml', 'reinstall', 'saved', '--telemetry=off');
    expect(no).toMatch(/^telemetry: "?off"?$/m);
    // Used again, the file with the yes asks nobody, and that with the no says no.
    for (const [file, state, reason] of [
      ['yes.yaml', 'not-asked', 'not-asked'],
      ['no.yaml', 'declined', 'declined'],
    ] as const) {
      const run = await world.run(['reinstall', 'saved', '--answers', join(files, file), '--yes']);
      expect(run, run.stderr).toMatchObject({ exit: 0 });
      await expectStatus(scene, { state, collecting: false, reason });
    }
    expect((await world.json(['telemetry', 'status', 'saved'])).document.consent.by).toBe('answers');
  });

  it('with a word that is neither on nor off is refused before anything happens', async () => {
    const file = join(theatre.folder, 'maybe.yaml');
    writeFileSync(file, 'telemetry: maybe\n');
    const { exit, document } = await theatre.world.json(['install', theatre.product, '--answers', file, '--yes']);
    expect({ exit, code: document.error.code }).toEqual({ exit: 2, code: 'usage-answers' });
  });
});

it('there is no telemetry on: it explains that, and names the command that asks', async () => {
  const { exit, stderr } = await theatre.world.run(['telemetry', 'on']);
  expect(exit).toBe(2);
  expect(stderr).toContain('assent reinstall');
});
