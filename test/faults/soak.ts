/**
 * Random sequences of commands, a kill in the middle among them, against a model of what should be (soak/model.ts): after each command its exit code, and then version, settings, data, server
 * and consent as the model has them. A sequence that fails is made as short as it goes.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { leftovers } from '../support/oracle.ts';
import { type Document, type Run, readJson } from '../support/scenario.ts';
import { set } from '../support/steps.ts';
import type { Attack } from './attack.ts';
import { chanceOf } from './chance.ts';
import { deal } from './changes.ts';
import { type Action, after, changeOf, type Model, nothing, type Said, undone } from './soak/model.ts';
import { endProcesses, makeStage, name, product, purging, type Stage, versions } from './stage.ts';

export const soak: Attack = {
  name: 'soak',
  title: 'random sequences of commands and kills, against a model of what should be',
  atLeast: 100,
  run: async (tally, options) => {
    const ids = Array.from({ length: options.full ? 110 : quickSequences }, (_, at) => String(at + 1));
    const counted = { commands: 0, kills: 0 };
    const stages: Stage[] = [];
    try {
      for (let job = 0; job < options.jobs; job += 1) stages.push(await makeStage());
      await deal(stages, ids, async (stage, id) => {
        const own: Counted = { commands: 0, kills: 0, unkilled: 0 };
        await tally.check(id, async (missed) => {
          await sequence(stage, chanceOf(options.seed, `soak ${id}`).whole(2 ** 31), own);
          if (own.unkilled > 0) missed();
        });
        for (const what of ['commands', 'kills'] as const) counted[what] += own[what];
      });
    } finally {
      await Promise.all(stages.map((stage) => stage.close()));
    }
    tally.note(`${counted.commands} commands, ${counted.kills} of them killed`);
  },
};

interface Counted {
  commands: number;
  kills: number;
  /** Changes that came to their end before the entry behind which they were to be killed. */
  unkilled: number;
}

const quickSequences = 3;
/** How long a failing sequence may be shortened. */
const shrinkMs = 180_000;

const said = fc.constantFrom<Said>('on', 'off', 'nothing');
const greeting = fc.constantFrom('hello', 'again', 'third');
const words = fc.constantFrom<'uninstall' | 'purge' | 'start' | 'stop' | 'restart' | 'recover' | 'withdraw' | 'use'>(
  'uninstall',
  'purge',
  'start',
  'stop',
  'restart',
  'recover',
  'withdraw',
  'use',
);
const killed = fc.constantFrom<'upgrade' | 'reinstall' | 'rollback' | 'uninstall'>(
  'upgrade',
  'reinstall',
  'rollback',
  'uninstall',
);

const actions = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('install' as const), said }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('upgrade' as const, 'rollback' as const), said }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reinstall' as const), said, greeting }) },
    { weight: 4, arbitrary: fc.record({ do: words }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('kill' as const),
        change: killed,
        percent: fc.integer({ min: 1, max: 100 }),
      }),
    },
  ),
  { minLength: 5, maxLength: 8 },
);

const sequence = async (stage: Stage, seed: number, counted: Counted): Promise<void> => {
  let last: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(actions, (all: Action[]) => {
    last = play(stage, all, counted);
    return last;
  });
  const first = await fc.check(property, { seed, numRuns: 1, endOnFailure: true });
  if (!first.failed) return;
  const shorter = await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: shrinkMs });
  // What the time limit has interrupted goes on, and must not meet the next sequence.
  await last.catch(() => undefined);
  const { counterexample, errorInstance } = shorter.counterexample === null ? first : shorter;
  const shortest = (counterexample?.[0] ?? []).map((action) => JSON.stringify(action)).join('\n');
  throw new Error(`made shorter ${shorter.numShrinks} times:\n${shortest}`, { cause: errorInstance });
};

/** From nothing: an installation first, then what chance has put together. */
const play = async (stage: Stage, all: readonly Action[], counted: Counted): Promise<void> => {
  endProcesses(stage.world.home);
  for (const part of ['instances', 'staging']) rmSync(stage.world.path(part), { recursive: true, force: true });
  let model = nothing;
  for (const [at, action] of [{ do: 'install', said: 'on' } as const, { do: 'use' } as const, ...all].entries()) {
    try {
      model = await step(stage, model, action, counted);
      counted.commands += 1;
    } catch (error) {
      throw new Error(`number ${at + 1}, ${JSON.stringify(action)}, from ${JSON.stringify(model)}`, { cause: error });
    }
  }
};

const step = async (stage: Stage, model: Model, action: Action, counted: Counted): Promise<Model> => {
  const { exit, next, began } = after(model, action);
  const before = generationOf(stage);
  if (action.do === 'use') await use(stage, model, next);
  const run = await doneBy(stage, model, action);
  const wasKilled = run?.signal === 'SIGKILL';
  if (wasKilled) counted.kills += 1;
  // What never begins, for nothing is installed there, can't be killed.
  else if (action.do === 'kill' && began) counted.unkilled += 1;
  const now = wasKilled && !(await committed(stage)) ? undone(model) : next;
  if (wasKilled) {
    // Where nothing is installed (any more), nothing has that name.
    const { exit: ended, stderr } = await stage.world.run(['recover', name]);
    assert.ok(ended === 0 || (ended === 10 && now.is !== 'installed'), `recover: exit ${ended} ${stderr}`);
  } else if (run !== undefined) assert.equal(run.exit, exit, `exit ${run.exit}, not ${exit}: ${run.stderr}`);
  await isAs(stage, now);
  if (now.is !== 'nothing')
    assert.ok(began ? generationOf(stage) > before : generationOf(stage) === before, 'the generation');
  return now;
};

const doneBy = async (stage: Stage, model: Model, action: Action): Promise<Run | undefined> => {
  if (action.do === 'use') return undefined;
  if (action.do !== 'kill') return stage.world.run(await wordsOf(stage, model, action));
  const crash = join(import.meta.dirname, '../support/crash-at.mjs');
  const entry = Math.ceil((action.percent * entriesOf(model, action.change)) / 100);
  const env = { NODE_OPTIONS: `--import=${crash}`, ASSENT_TEST_CRASH: String(entry) };
  return stage.world.run(await wordsOf(stage, model, changeOf(action.change)), { env });
};

/** How many the journal of such a change has. */
const entriesOf = ({ running }: Model, change: keyof typeof entries): number =>
  // A server that is down need not be stopped.
  entries[change] - (change === 'uninstall' && !running ? 2 : 0);

const entries = { upgrade: 25, reinstall: 25, rollback: 23, uninstall: 15 } as const;

/** A change that was killed behind its commit is finished by `recover`. */
const committed = async (stage: Stage): Promise<boolean> =>
  readFileSync(stage.place('journal/open.jsonl'), 'utf8').includes('"entry":"commit"');

const wordsOf = async (stage: Stage, model: Model, action: Exclude<Action, { do: 'kill' }>): Promise<string[]> => {
  const say = async (): Promise<string[]> => [
    '--yes',
    ...('said' in action ? await sayingWords(stage, action.said) : ['--telemetry=off']),
  ];
  switch (action.do) {
    case 'install':
      return ['install', `${product}@${versions[model.version]}`, ...settingsOf(stage), ...(await say())];
    case 'upgrade':
      return ['upgrade', name, '--to', versions.new, ...(await say())];
    case 'rollback':
      return ['rollback', name, '--data', 'then', ...(await say())];
    case 'reinstall':
      return ['reinstall', name, '--set', `greeting=${action.greeting}`, ...(await say())];
    case 'uninstall':
      return ['uninstall', name, ...(await say())];
    case 'purge':
      return [...purging.slice(0, -1)];
    case 'withdraw':
      return ['telemetry', 'off', name];
    default:
      return [action.do, name];
  }
};

const settingsOf = ({ world, port }: Stage): string[] =>
  set({ webPort: port, token: `@file:${join(world.folder, 'token')}` });

/** The notice of both releases is the same, for its text is. */
const sayingWords = async ({ world }: Stage, say: Said): Promise<string[]> => {
  if (say !== 'on') return say === 'off' ? ['--telemetry=off'] : [];
  const { document } = await world.json(['telemetry', 'notice', `${product}@${versions.old}`]);
  return ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
};

/** A client leaves something there. The newer release answers before it writes. */
const use = async (stage: Stage, model: Model, next: Model): Promise<void> => {
  for (const id of next.posts.slice(model.posts.length)) {
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`http://127.0.0.1:${stage.port}/posts`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ id, title: id }),
    });
    assert.equal(status, 201);
    const isWritten = (): boolean => readFileSync(stage.place('data/db.json'), 'utf8').includes(id);
    for (let waited = 0; waited < 200 && !isWritten(); waited += 1) await sleep(20);
  }
};

/** Everything that the model speaks of, as `status` and the server have it. */
const isAs = async (stage: Stage, model: Model): Promise<void> => {
  assert.deepEqual(
    leftovers(stage.world, name).filter((left) => !(model.consent === 'accepted' && left === 'telemetry')),
    [],
  );
  const { document } = await stage.world.json(['status', name]);
  if (model.is !== 'installed') {
    assert.notEqual(document.instance?.consent?.collecting, true);
    assert.equal(document.instance?.version ?? null, null);
    assert.equal(existsSync(stage.place('data/db.json')), model.is === 'kept');
    return;
  }
  const { version, state, health, consent, unfinished } = document.instance;
  const server = model.running ? { state: 'running', health: 'healthy' } : { state: 'stopped', health: 'unknown' };
  assert.deepEqual(
    { version, state, health, consent: consent.state, collecting: consent.collecting, unfinished },
    {
      version: versions[model.version],
      ...server,
      consent: model.consent,
      collecting: model.consent === 'accepted',
      unfinished: undefined,
    },
  );
  const { settings, previous } = readJson(stage.place('instance.json'));
  assert.equal(settings.greeting, model.greeting);
  assert.equal(previous?.release.version, model.previous === null ? undefined : versions[model.previous.version]);
  assert.deepEqual(postsIn(readJson(stage.place('data/db.json'))), model.posts);
};

/** The product brings a post of its own; the others are a client's, told by their titles: the newer release gives ids of its own. */
const postsIn = ({ posts }: Document): string[] =>
  posts.map(({ title }: { title: unknown }) => String(title)).filter((title: string) => title.startsWith('post-'));

const generationOf = (stage: Stage): number => {
  try {
    return readJson(stage.place('instance.json')).generation;
  } catch {
    return 0;
  }
};
