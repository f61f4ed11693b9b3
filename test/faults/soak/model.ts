/**
 * What an instance should be after a command, told by a model that knows nothing of how it is done: the version, the settings, whose data, whether the server runs, what stands about
 * telemetry, and with which exit code the command ends. Pure.
 */

export type Version = 'old' | 'new';
export type Said = 'on' | 'off' | 'nothing';
export type Consent = 'accepted' | 'declined' | 'withdrawn' | 'not-asked';

export type Action =
  | { readonly do: 'install' | 'upgrade' | 'rollback'; readonly said: Said }
  | { readonly do: 'reinstall'; readonly said: Said; readonly greeting: string }
  | { readonly do: 'uninstall' | 'purge' | 'start' | 'stop' | 'restart' | 'recover' | 'withdraw' | 'use' }
  /** The change is killed behind this share of the synced entries of its journal, and ended by `recover`. */
  | {
      readonly do: 'kill';
      readonly change: 'upgrade' | 'reinstall' | 'rollback' | 'uninstall';
      readonly percent: number;
    };

/** What a release runs with, and what `rollback` goes back to. */
interface Side {
  readonly version: Version;
  readonly greeting: string;
  /** What clients have left there. */
  readonly posts: readonly string[];
}

export interface Model extends Side {
  /** `kept`: uninstalled, and the data is there. */
  readonly is: 'nothing' | 'kept' | 'installed';
  readonly previous: Side | null;
  readonly running: boolean;
  readonly consent: Consent;
  /** Changes that began. */
  readonly generation: number;
}

export const nothing: Model = {
  is: 'nothing',
  version: 'old',
  greeting: 'hello',
  posts: [],
  previous: null,
  running: false,
  consent: 'not-asked',
  generation: 0,
};

export interface Outcome {
  readonly exit: number;
  readonly next: Model;
  /** The change began: its generation is another. */
  readonly began: boolean;
}

/** What a command ends with where nothing disturbs it. `kill` is that of its change. */
export const after = (model: Model, action: Action): Outcome => {
  if (action.do === 'kill') return after(model, changeOf(action.change));
  if (action.do === 'install') return install(model, action.said);
  if (action.do === 'purge') return model.is === 'nothing' ? same(model, 10) : { exit: 0, next: nothing, began: true };
  if (model.is !== 'installed') return same(model, action.do === 'use' ? 0 : 10);
  return ofInstalled[action.do](model, action);
};

/** What an undo leaves: everything of before, but for consent: the no that was said with the change stands. */
export const undone = (model: Model): Model => ({
  ...model,
  consent: 'declined',
  generation: model.generation + 1,
});

/** The change that is killed says no. */
export const changeOf = (change: Extract<Action, { do: 'kill' }>['change']): Exclude<Action, { do: 'kill' }> =>
  change === 'uninstall'
    ? { do: change }
    : change === 'reinstall'
      ? { do: change, said: 'off', greeting: 'killed' }
      : { do: change, said: 'off' };

const same = (model: Model, exit: number): Outcome => ({ exit, next: model, began: false });
const begun = (next: Model): Outcome => ({ exit: 0, next: { ...next, generation: next.generation + 1 }, began: true });

/** A no is heard at once, whatever becomes of the command. Where one stands and nobody is being asked, it stands as it was said first. */
const heard = (model: Model, said: Said): Model =>
  said === 'off' && (model.consent === 'accepted' || model.consent === 'not-asked')
    ? { ...model, consent: 'withdrawn' }
    : model;

const answer = { on: 'accepted', off: 'declined', nothing: 'not-asked' } as const satisfies Record<Said, Consent>;
const sideOf = ({ version, greeting, posts }: Model): Side => ({ version, greeting, posts });

const install = (model: Model, said: Said): Outcome =>
  model.is === 'installed'
    ? same(heard(model, said), 0)
    : begun({ ...model, is: 'installed', previous: null, running: true, consent: answer[said] });

type Installed = Exclude<Action['do'], 'install' | 'purge' | 'kill'>;

const ofInstalled: Record<Installed, (model: Model, action: Action) => Outcome> = {
  upgrade: (model, action) =>
    model.version === 'new'
      ? same(heard(model, saidIn(action)), 0)
      : begun({ ...model, version: 'new', previous: sideOf(model), consent: answer[saidIn(action)] }),
  rollback: (model, action) =>
    model.previous === null
      ? same(heard(model, saidIn(action)), 10)
      : begun({ ...model, ...model.previous, previous: sideOf(model), consent: answer[saidIn(action)] }),
  reinstall: (model, action) =>
    begun({ ...model, greeting: action.do === 'reinstall' ? action.greeting : '', consent: answer[saidIn(action)] }),
  uninstall: (model) => begun({ ...model, is: 'kept', running: false, consent: 'declined' }),
  start: (model) => same({ ...model, running: true }, 0),
  stop: (model) => same({ ...model, running: false }, 0),
  restart: (model) => same({ ...model, running: true }, 0),
  recover: (model) => same(model, 0),
  withdraw: (model) => same({ ...model, consent: 'withdrawn' }, 0),
  use: (model) =>
    same(
      model.running ? { ...model, posts: [...model.posts, `post-${model.posts.length}-${model.generation}`] } : model,
      0,
    ),
};

const saidIn = (action: Action): Said => ('said' in action ? action.said : 'nothing');
