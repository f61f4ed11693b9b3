/** Homes in the sandbox of the running test, and how far most tests of consent want them. Apart from support.ts, which a plain Node runs as well. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { nextGeneration } from '../../src/change/generation.ts';
import type { Raise } from '../../src/consent/decide.ts';
import { type Asked, askedNow } from '../../src/consent/log.ts';
import { noticeId } from '../../src/consent/notice.ts';
import { readState } from '../../src/instance/state.ts';
import { sandbox } from '../support/sandbox.ts';
import { answerOf, conduct, type Home, inMemory, type Kind, makeHome, noticeOf, raiseOf } from './support.ts';

type HomeOptions = Parameters<typeof makeHome>[1] & { readonly folder?: string };

/** Nothing is in it yet. `folder` where it has to lie on another disk, or beside something. */
export const emptyHome = ({ folder = join(sandbox(inMemory), 'home'), ...options }: HomeOptions = {}): Home => {
  mkdirSync(folder, { recursive: true });
  return makeHome(folder, options);
};

/** An installation of 2.2.1 that was answered so at its question. */
export const homeWith = async (say: 'yes' | 'no', options: HomeOptions = {}): Promise<Home> => {
  const home = emptyHome(options);
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say } });
  expect(answerOf(home).collecting).toBe(say === 'yes');
  return home;
};

interface YesOptions extends Partial<Asked> {
  readonly change?: Kind;
  readonly version?: string;
}

/** A change that was answered with yes, just now unless told otherwise, and has not begun: it is loading. */
export const yesRaise = (home: Home, options: YesOptions = {}): Raise => {
  const { change = 'upgrade', version = '3.0.0', ...asked } = options;
  const notice = noticeOf(version);
  const answer = { say: 'yes', by: 'prompt', noticeId: noticeId(notice) } as const;
  const generation = nextGeneration(home.paths, readState(home.paths) ?? null);
  return raiseOf(home, { change, version, notice, answer, generation, ...askedNow(home.paths), ...asked });
};
