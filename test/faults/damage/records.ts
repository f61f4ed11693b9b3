/** Consent's two files, and the mark outside of the folder: whatever is wrong with one of them is a no that says so, stops no change, and is never written over. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readJson } from '../../support/scenario.ts';
import type { Target } from '../damage.ts';
import { name, type Stage } from '../stage.ts';
import { anyFile, type Harm, withMember } from './harms.ts';
import { canWithdraw, consentNow, doctorFinds, withoutTouching } from './scene.ts';

export const record: Target = {
  from: 'base',
  file: 'consent.json',
  harms: {
    ...anyFile,
    'later-format': withMember('format', () => 2),
    'later-generation': withMember('generation', (generation) => Number(generation) + 1),
    'other-host': withMember('binding', (binding) => ({ ...(binding as object), machine: 'a'.repeat(64) })),
    'other-key': withMember('key', () => 'b'.repeat(64)),
  },
  holds: async ({ stage, whole, harmed, note }) => {
    // Another time of the same answer: nothing holds the two times against one another.
    if (sameButTime(whole, harmed.bytes)) return note('consent.at');
    const log = readFileSync(stage.place('consent.log'));
    await withoutTouching(stage, async () => {
      await isInvalid(stage);
      await doctorFinds(stage, 'consent-invalid');
    });
    await canWithdraw(stage);
    assert.ok(readFileSync(stage.place('consent.log')).subarray(0, log.length).equals(log), 'the log only grows');
  },
};

/** Other lines, and everything that holds them together made to fit them: each line's digest of the one before, and the record and the mark that know the last one. */
const rewritten =
  (what: string, change: (line: string) => string): Harm =>
  (whole) => {
    const lines = whole.toString('utf8').trimEnd().split('\n');
    const chained: string[] = [];
    for (const line of lines.map(change)) {
      const before = chained.at(-1);
      const prev = before === undefined ? '0'.repeat(64) : sha256(before);
      chained.push(line.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`));
    }
    const head = sha256(chained.at(-1) ?? '');
    const bytes = Buffer.from(`${chained.join('\n')}\n`);
    return { bytes, what, beside: (stage) => knowHead(stage, head) };
  };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const knowHead = (stage: Stage, head: string): void => {
  const [record, mark] = [stage.place('consent.json'), markOf(stage)];
  const { log, ...others } = readJson(record);
  writeFileSync(record, `${JSON.stringify({ ...others, log: { ...log, head } })}\n`);
  writeFileSync(mark, `${JSON.stringify({ ...readJson(mark), hash: head })}\n`);
};

const markOf = ({ world }: Stage): string => world.path('locks', `${name}.consent-mark`);

export const log: Target = {
  from: 'base',
  file: 'consent.log',
  harms: {
    ...anyFile,
    'later-kind': rewritten('a line of a kind that there is none of', (line) =>
      line.replace('"kind":"answer"', '"kind":"oracle"'),
    ),
    'other-host': rewritten('another key', (line) => line.replace(/"key":"[0-9a-f]{64}"/, `"key":"${'c'.repeat(64)}"`)),
  },
  holds: async ({ stage, harmed }) => {
    await withoutTouching(stage, async () => {
      await isInvalid(stage);
      await doctorFinds(stage, 'consent-invalid');
      const { exit } = await stage.world.json(['telemetry', 'history', name]);
      assert.ok(exit === 0 || exit === 3, `history: exit ${exit}`);
    });
    await canWithdraw(stage);
    const now = readFileSync(stage.place('consent.log'));
    assert.ok(now.subarray(0, harmed.bytes.length).equals(harmed.bytes), 'the damaged part stays as it is');
  },
};

export const mark: Target = {
  from: 'base',
  file: markOf,
  harms: {
    ...anyFile,
    'later-format': withMember('format', () => 2),
    'other-log': withMember('hash', () => 'd'.repeat(64)),
  },
  holds: async ({ stage, whole, harmed, note }) => {
    // It decides nothing but which number comes next.
    if (isOtherNumber(whole, harmed.bytes)) return note('consent-mark.generation');
    await withoutTouching(stage, async () => {
      await isInvalid(stage);
      await doctorFinds(stage, 'consent-invalid');
    });
    await canWithdraw(stage);
  },
};

const isOtherNumber = (whole: Buffer, bytes: Buffer): boolean => {
  try {
    const [before, now] = [whole, bytes].map((text) => JSON.parse(text.toString('utf8')));
    const isSame = JSON.stringify({ ...now, generation: before.generation }) === JSON.stringify(before);
    return isSame && Number.isSafeInteger(now.generation) && now.generation >= 0;
  } catch {
    return false;
  }
};

const sameButTime = (whole: Buffer, bytes: Buffer): boolean => {
  try {
    const [before, now] = [whole, bytes].map((text) => JSON.parse(text.toString('utf8')));
    return JSON.stringify({ ...now, at: before.at }) === JSON.stringify(before) && Date.parse(now.at) <= Date.now();
  } catch {
    return false;
  }
};

const isInvalid = async (stage: Stage): Promise<void> => {
  const consent = await consentNow(stage);
  assert.equal(consent.state, 'invalid', JSON.stringify(consent));
  assert.equal(consent.reason, 'record-invalid');
  assert.ok(!['record-missing', 'log-missing'].includes(consent.fault), 'damage is not absence');
  const { exit } = await stage.world.run(['telemetry', 'status', name, '--exit-code']);
  assert.equal(exit, 23);
};
