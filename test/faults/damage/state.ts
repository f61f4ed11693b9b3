/** The state file and the journal: a change that can't trust them refuses, and so does everything that would build on them. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseState } from '../../../src/instance/state.ts';
import { readJson } from '../../support/scenario.ts';
import type { Scene, Target } from '../damage.ts';
import { name } from '../stage.ts';
import { holds as oneSide } from '../truth.ts';
import { anyFile, empty, flipBetween, type Harm, twice, withMember, zeros } from './harms.ts';
import { consentNow, doctorFinds, refusedAs, silentReinstall, withoutTouching } from './scene.ts';

export const instance: Target = {
  from: 'base',
  file: 'instance.json',
  harms: {
    ...anyFile,
    'later-format': withMember('format', () => 2),
    'later-generation': withMember('generation', (generation) => Number(generation) + 7),
    'other-host': withMember('key', () => 'd'.repeat(64)),
  },
  holds: (scene) => (parses(scene.harmed.bytes) ? saysAnother(scene) : isRefused(scene)),
};

const isRefused = async ({ stage, manifest }: Scene): Promise<void> => {
  await withoutTouching(stage, async () => {
    const error = await refusedAs(stage, 'refused-state-damaged', 'status', name);
    assert.match(error.message, /instance\.json/);
    await doctorFinds(stage, 'state-damaged');
    await consentNow(stage);
    await refusedAs(stage, 'refused-state-damaged', ...silentReinstall);
    await refusedAs(stage, 'refused-state-damaged', 'install', manifest, '--yes');
    await refusedAs(stage, 'refused-state-damaged', 'start', name);
  });
};

/** One value of it is another: nothing in the file itself can tell. It is told where the value is one that a decision is bound to. */
const saysAnother = async ({ stage, whole, harmed, note }: Scene): Promise<void> => {
  const [before, now] = [JSON.parse(whole.toString('utf8')), JSON.parse(harmed.bytes.toString('utf8'))];
  const other = Object.keys(before).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));
  assert.equal(other.length, 1, `${other}`);
  note(`${other}`);
  await withoutTouching(stage, async () => {
    const { document, exit } = await stage.world.json(['status', name]);
    assert.equal(exit, 0);
    assert.equal(document.instance.generation, now.generation, 'read as it says, and not as empty');
    if (!['generation', 'key', 'noticeId'].includes(String(other))) return;
    assert.equal((await consentNow(stage)).state, 'invalid');
    await doctorFinds(stage, 'consent-invalid');
  });
};

const parses = (bytes: Buffer): boolean => {
  try {
    parseState(JSON.parse(bytes.toString('utf8')));
    return true;
  } catch {
    return false;
  }
};

/** Lines of a journal, each with its newline. */
const linesOf = (whole: Buffer): string[] => whole.toString('utf8').split(/(?<=\n)/);

const lineOf = (entry: object): string => {
  const json = JSON.stringify(entry);
  return `${createHash('sha256').update(json).digest('hex').slice(0, 16)} ${json}\n`;
};

/** Another opening entry, its digest right. */
const reopened =
  (what: string, change: (opening: Record<string, unknown>) => object): Harm =>
  (whole) => {
    const [first = '', ...others] = linesOf(whole);
    const opening = JSON.parse(first.slice(17));
    return { bytes: Buffer.from([lineOf({ ...opening, ...change(opening) }), ...others].join('')), what };
  };

export const journal: Target = {
  from: 'open',
  file: 'journal/open.jsonl',
  harms: {
    flipped: (whole, chance) => flipBetween(0, whole.length - 2)(whole, chance),
    'flipped-opening': (whole, chance) => flipBetween(0, (linesOf(whole)[0] ?? '').length)(whole, chance),
    empty,
    zeros,
    twice,
    'line-lost': (whole, chance) => {
      const lines = linesOf(whole);
      const at = chance.whole(lines.length - 1);
      const bytes = Buffer.from(lines.toSpliced(at, 1, '\n').join(''));
      return { bytes, what: `line ${at + 1} is empty` };
    },
    joined: (whole) => {
      const { closed } = oneOf(whole);
      return { bytes: Buffer.concat([closed, whole]), what: 'behind a closed one' };
    },
    'later-format': reopened('a state of a later format', ({ after }) => ({
      after: { ...(after as object), format: 2 },
    })),
    'later-step': reopened('a step that there is none of', ({ plan }) => {
      const { steps, ...others } = plan as { steps: { phase: string }[] };
      const later = { ...steps.find(({ phase }) => phase === 'change'), id: 'levitate', step: 'levitate' };
      return { plan: { ...others, steps: [...steps, later] } };
    }),
    'other-host': reopened('of another instance', ({ before, after }) => ({
      before: { ...(before as object), name: 'another' },
      after: { ...(after as object), name: 'another' },
    })),
  },
  holds: async ({ stage }) => {
    await withoutTouching(stage, async () => {
      const { document, exit } = await stage.world.json(['status', name]);
      assert.ok(exit === 3 || document.instance.unfinished !== undefined, 'a damaged journal is not an absent one');
      await doctorFinds(stage, 'journal-damaged');
      await consentNow(stage);
      await refusedAs(stage, 'refused-state-damaged', 'recover', name);
      await refusedAs(stage, 'refused-state-damaged', ...silentReinstall);
    });
  },
};

/** Of the install before, made to look like one that was never renamed. */
const oneOf = (whole: Buffer): { closed: Buffer } => {
  const [first = ''] = linesOf(whole);
  return {
    closed: Buffer.from(first + lineOf({ at: '2026-01-01T00:00:00.000Z', entry: 'close', outcome: 'finished' })),
  };
};

/** A line torn by a crash is none: whatever is cut of the last one, or zeros in its place, `recover` goes back to the old. */
export const tail: Target = {
  from: 'open',
  file: 'journal/open.jsonl',
  harms: {
    torn: (whole, chance) => {
      const last = (linesOf(whole).at(-1) ?? '').length;
      const at = whole.length - 1 - chance.whole(last - 1);
      return { bytes: whole.subarray(0, at), what: `${whole.length - at} of the last ${last} bytes are missing` };
    },
    zeros: (whole) => {
      const last = (linesOf(whole).at(-1) ?? '').length;
      return { bytes: Buffer.from(whole).fill(0, whole.length - last), what: 'zeros in place of the last line' };
    },
  },
  holds: async ({ stage, sides }) => {
    const before = readJson(stage.place('instance.json')).generation;
    await doctorFinds(stage, 'change-interrupted');
    await stage.fine('recover', name);
    assert.equal(await oneSide(stage, sides, before), 'old');
  },
};
