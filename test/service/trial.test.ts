/** The judge of a release on trial: what fails it, and what does not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { instancePaths } from '../../src/instance/paths.ts';
import { type InstanceState, writeState } from '../../src/instance/state.ts';
import {
  parseTrials,
  readMemory,
  secondsBetweenLooks,
  type TrialMemory,
  trialFrom,
  writeMemory,
} from '../../src/instance/trial.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import type { Observation } from '../../src/service/supervisor.ts';
import { isOver, judge, lookAtTrial, patienceOf, type Seen } from '../../src/service/trial.ts';
import type { InstanceName } from '../../src/values.ts';
import { sampleState } from '../support/sample-state.ts';
import { sandbox } from '../support/sandbox.ts';

const start = new Date('2026-03-01T12:00:00.000Z');
const at = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const trial = trialFrom(15, start);
const patienceMs = 30_000;

const fresh: TrialMemory = {
  format: 1,
  of: 'then',
  ...{ bad: 0, badSince: null, restarts: 0, deaths: 0, verdict: null, ending: null, detail: '' },
};

const running = (restarts = 0, unwell: string | null = null): Seen => ({
  observed: { state: 'running', restarts },
  unwell,
});

const given = (gaveUp: 'starts' | 'death', restarts = 0): Seen => ({
  observed: { state: 'failed', restarts, gaveUp },
  unwell: 'it does not run',
});

/** What is known after looks at these seconds. */
const looks = (seen: readonly (readonly [number, Seen])[], from = fresh): TrialMemory =>
  seen.reduce((memory, [seconds, one]) => judge(memory, one, patienceMs, at(seconds)), from);

describe('a release on trial', () => {
  it('is not failed by looks at which it was well', () => {
    expect(looks([15, 30, 45].map((seconds) => [seconds, running()]))).toEqual(fresh);
  });

  it('is failed by its third death, also where the supervisor began to count anew', () => {
    const twice = looks([
      [15, running(1)],
      [30, running(2)],
    ]);
    expect(twice).toMatchObject({ deaths: 2, verdict: null });
    expect(looks([[45, running(3)]], twice).verdict).toEqual({
      at: at(45).toISOString(),
      reason: 'it died 3 times',
    });
    expect(looks([[45, running(0)]], twice).verdict).toBeNull();
    const anew = looks([[45, running(0)]], twice);
    expect(looks([[60, running(1)]], anew).verdict?.reason).toBe('it died 3 times');
  });

  it('is failed where it was unwell at every look for longer than it may take to start', () => {
    const unwell = running(0, 'it does not answer');
    const almost = looks([
      [0, unwell],
      [15, unwell],
    ]);
    expect(almost).toMatchObject({ bad: 2, badSince: start.toISOString(), verdict: null });
    expect(looks([[30, unwell]], almost).verdict?.reason).toMatch(
      /^it was unwell at 3 looks in a row, for 30 s: it does not/,
    );
    expect(looks([[30, running()]], almost)).toMatchObject({ bad: 0, badSince: null, verdict: null });
    // Many looks within a moment are one.
    expect(looks([0, 1, 2, 3, 4].map((seconds) => [seconds, unwell])).verdict).toBeNull();
  });

  it('is failed at once where its supervisor has given it up for a death, or for three', () => {
    expect(looks([[5, given('death')]]).verdict?.reason).toMatch(/gave it up/);
    expect(looks([[5, given('starts', 3)]]).verdict?.reason).toBe('it died 3 times');
  });

  it('is not failed where starts that somebody has typed made its supervisor give it up', () => {
    expect(looks([[5, given('starts')]])).toMatchObject({ deaths: 0, verdict: null });
    expect(looks([[5, given('starts', 1)]])).toMatchObject({ deaths: 1, verdict: null });
  });

  it('is not failed by a stop, which also ends what was bad before', () => {
    const stopped: Seen = { observed: { state: 'stopped', restarts: 0 }, unwell: null };
    const bad = looks([[0, running(2, 'sick')]]);
    const resting = looks([[60, stopped]], bad);
    expect(resting).toMatchObject({ bad: 0, restarts: 0, deaths: 2, verdict: null });
  });

  it('keeps its verdict whatever is seen later', () => {
    const failed = looks([[45, running(3)]]);
    expect(looks([[60, running(0)]], failed)).toEqual(failed);
  });
});

describe('a trial', () => {
  it('is over with its time, but not in the middle of something bad, and not with a verdict', () => {
    expect(isOver(trial, fresh, at(899))).toBe(false);
    expect(isOver(trial, fresh, at(900))).toBe(true);
    expect(isOver(trial, { ...fresh, bad: 1 }, at(900))).toBe(false);
    expect(isOver(trial, looks([[1, running(3)]]), at(900))).toBe(false);
  });

  it.each([
    [15, 15],
    [10_080, 15],
    [1, 3],
    [0.1, 1],
  ])('of %s minutes is looked at every %s seconds', (minutes, seconds) => {
    expect(secondsBetweenLooks({ ...trial, minutes })).toBe(seconds);
  });

  it('is patient for as long as a start may take, and for two looks at least', () => {
    expect(patienceOf(trial, { startSeconds: 120 })).toBe(120_000);
    expect(patienceOf(trial, { startSeconds: 5 })).toBe(30_000);
  });

  it('of a state file from before there were trials is none; a damaged one is refused', () => {
    expect(parseTrials({})).toEqual({});
    expect(parseTrials({ trial })).toEqual({ trial });
    for (const wrong of [{ trial: 'yes' }, { trial: { ...trial, until: 'soon' } }, { failedTrial: {} }])
      expect(() => parseTrials(wrong)).toThrow(/trial|until|version/);
  });
});

describe('what was seen', () => {
  const state = { changedAt: 'then' } as InstanceState;

  it('is kept for the installation that it is about, and for no other; a damaged file is none', () => {
    const paths = instancePaths(sandbox(), 'mail' as InstanceName);
    mkdirSync(paths.folder, { recursive: true });
    const seen = looks([[0, running(1, 'sick')]]);
    writeMemory(paths, seen);
    expect(readMemory(paths, state)).toEqual(seen);
    expect(readMemory(paths, { ...state, changedAt: 'later' })).toEqual({ ...fresh, of: 'later' });
    for (const damaged of ['', '{', '{"format":1,"of":"then"}', JSON.stringify({ ...seen, bad: -1 })]) {
      writeFileSync(paths.trial, damaged);
      expect(readMemory(paths, state), damaged).toEqual(fresh);
    }
  });
});

describe('a look', () => {
  const spec = { startSeconds: 30 } as ServiceSpec;
  const gaveUp: Observation = { state: 'failed', restarts: 0, gaveUp: 'death' };
  const lookWhere = async (running: boolean): Promise<TrialMemory | undefined> => {
    const paths = instancePaths(sandbox(), 'mail' as InstanceName);
    mkdirSync(paths.folder, { recursive: true });
    const state = { ...installed, running, trial };
    writeState(paths, state);
    return lookAtTrial({ now: () => at(20) }, paths, state, spec, { observe: async () => gaveUp });
  };

  it('sees a failure in what is meant to run, and none in what somebody has stopped, however it ended', async () => {
    expect((await lookWhere(true))?.verdict).not.toBeNull();
    expect(await lookWhere(false)).toMatchObject({ bad: 0, deaths: 0, verdict: null });
  });
});

const installed = sampleState({ supervisor: 'systemd' }, start.toISOString());
