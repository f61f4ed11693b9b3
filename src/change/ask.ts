/**
 * The questions of a change, before anything is planned: the settings, and, apart from them, telemetry. Without a terminal
 * nothing is asked; then a required answer that is missing is one Failure that names all of them.
 */

import type { GivenAnswer } from '../consent/decide.ts';
import { type Asked, askedNow } from '../consent/log.ts';
import type { Notice } from '../consent/notice.ts';
import { makeNotice, noticeId } from '../consent/notice.ts';
import type { Said } from '../consent/question.ts';
import { callerVetoes, hear, logQuestion, noteText } from '../consent/question.ts';
import { Failure } from '../errors.ts';
import { secretNames } from '../instance/secrets.ts';
import { parseProductReference } from '../product/catalogue.ts';
import type { DroppedSetting, ResolvedSettings } from '../product/resolve-settings.ts';
import { missingAdvice, resolveSettings } from '../product/resolve-settings.ts';
import type { SecretSource } from '../product/secret-reference.ts';
import { readSecretSource } from '../product/secret-reference.ts';
import type { Setting, Settings } from '../product/settings.ts';
import { endpointSetting, type NoticeId } from '../values.ts';
import { chooseData } from './data-choice.ts';
import type { ChangeRequest, DataOf, Ports } from './request.ts';
import type { Target } from './target.ts';

export interface SettledSettings {
  readonly settings: Settings;
  /** Texts of the secrets that were given; the others are kept or generated. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly sources: Readonly<Record<string, SecretSource>>;
  /** What was remembered and is not taken over. */
  readonly dropped: readonly DroppedSetting[];
  /** Whose data the change takes along. */
  readonly data: DataOf;
}

/** Settings of a rollback are those of then, and its data is a choice; an uninstall needs none; every other change resolves what was given, asked, there before, and the defaults. */
export const settleSettings = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
): Promise<SettledSettings> => {
  const data = await chooseData(ports, request, target);
  if (target.restore !== null) return { settings: target.restore.settings, ...nothingElse, data };
  const before = target.before?.settings;
  if (target.kind === 'uninstall') return { settings: before ?? {}, ...nothingElse, data };
  const from = {
    given: request.given,
    secretsThere: secretNames(target.paths),
    ...(before === undefined ? {} : { before }),
    ...(request.places === undefined ? {} : { places: request.places }),
  };
  const known = resolveSettings(target.product, from);
  const asking = ports.asker.interactive && !request.dryRun ? settingsToAsk(request, target, known) : [];
  if (asking.length === 0) refuseMissing(known, request, ports);
  const asked =
    asking.length === 0 ? {} : await ports.asker.settings(target.product, asking, defaultsOf(asking, known.settings));
  const resolved = resolveSettings(target.product, { ...from, asked: withoutEmpty(asked) });
  refuseMissing(resolved, request, ports);
  const secrets = secretTexts(ports, target, resolved);
  const { settings, dropped } = resolved;
  return { settings, secrets, sources: resolved.secrets, dropped, data };
};

const nothingElse = { secrets: {}, sources: {}, dropped: [] } as const;

/** A first install asks for everything that was not given; the others, and `--yes`, only for what is missing. */
const settingsToAsk = (request: ChangeRequest, target: Target, known: ResolvedSettings): Setting[] => {
  const missing = new Set(known.missing.map((setting) => setting.name));
  const guided = target.kind === 'install' && target.from === null && !request.yes;
  return target.product.settings.filter(
    (setting) => missing.has(setting.name) || (guided && setting.ask && !(setting.name in request.given)),
  );
};

const refuseMissing = ({ missing }: ResolvedSettings, request: ChangeRequest, ports: Ports): void => {
  if (missing.length === 0) return;
  const confirm = request.yes || request.dryRun || ports.asker.interactive ? '' : ' And, without a terminal: --yes.';
  throw new Failure(
    'answer-needed',
    `${missing.length === 1 ? 'An answer is' : `${missing.length} answers are`} missing: ${missing.map(({ name }) => name).join(', ')}.`,
    `${missingAdvice(missing)}.${confirm}`,
  );
};

const defaultsOf = (asking: readonly Setting[], settings: Settings): Record<string, string> =>
  Object.fromEntries(
    asking.flatMap(({ name }) => (settings[name] === undefined ? [] : [[name, String(settings[name])]])),
  );

const withoutEmpty = (asked: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(asked).filter(([, text]) => text !== ''));

const secretTexts = (ports: Ports, target: Target, { secrets }: ResolvedSettings): Record<string, string> =>
  Object.fromEntries(
    target.product.settings
      .filter(({ name }) => secrets[name] !== undefined)
      .map((setting) => [setting.name, readSecretSource(ports.world, setting, secrets[setting.name] as SecretSource)]),
  );

export interface Heard {
  readonly answer: GivenAnswer;
  /** The notice of the release that will run; null where its product declares no telemetry. */
  readonly notice: Notice | null;
  readonly noticeId: NoticeId | null;
  /** What there was of consent when the question was put. */
  readonly asked: Asked;
}

/** Asks about telemetry where that may be asked, and hears flags where not. Says in one line when nobody was asked. */
export const hearConsent = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  settings: Settings,
): Promise<Heard> => {
  const notice = makeNotice(target.product, target.release, settings);
  const id = notice === null ? null : noticeId(notice);
  const vetoed = callerVetoes(ports.world);
  const interactive = ports.asker.interactive && !request.dryRun && request.kind !== 'uninstall';
  const hearing = hear(saidOf(request), id, { interactive, vetoed });
  const now = askedNow(target.paths);
  if (!hearing.ask) {
    if (hearing.note !== null && request.kind !== 'uninstall')
      ports.events.note(noteText(hearing.note, id, noticeCommand(request, target, settings)));
    return { answer: hearing.answer, notice, noticeId: id, asked: now };
  }
  if (notice === null || id === null) throw new Error('a question without a notice');
  const about = { noticeId: id, version: target.release.version, account: target.before?.account ?? null };
  const asked = target.from === null ? now : await logQuestion(ports.world, target.paths, about);
  const say = await ports.asker.consent(notice, target.release.version, referenceOf(request, target));
  const answer: GivenAnswer = say === 'yes' ? { say, by: 'prompt', noticeId: id } : { say, by: 'prompt' };
  return { answer, notice, noticeId: id, asked };
};

/** What prints the notice of the release that this change brings, which may be another one than that of what is installed. */
const noticeCommand = (request: ChangeRequest, target: Target, settings: Settings): string => {
  const { from, before, paths, release } = target;
  const about = from === null ? referenceOf(request, target) : `${paths.name} --to ${release.version}`;
  const endpoint = settings[endpointSetting];
  // Of an instance that command remembers the settings of now, of a product none.
  const isRemembered = endpoint === (from === null ? undefined : before?.settings[endpointSetting]);
  return `assent telemetry notice ${about}${isRemembered ? '' : ` --set ${endpointSetting}=${endpoint ?? 'product'}`}`;
};

/** PRODUCT@VERSION as a command takes it: a manifest of one's own by the path that was typed, or by where it lies; what is in the catalogue by its name. */
const referenceOf = ({ kind, product: typed }: ChangeRequest, { manifest, product, release }: Target): string => {
  const given = kind === 'install' && typed !== undefined ? parseProductReference(typed).product : undefined;
  return `${given ?? manifest ?? product.name}@${release.version}`;
};

/** A yes belongs to what is installed behind the change: an uninstall hears none, for it could not be taken back either. */
const saidOf = ({ telemetry, kind }: ChangeRequest): Said | null => {
  if (telemetry === undefined) return null;
  if (telemetry.say === 'off') return { say: 'off', by: telemetry.by };
  if (kind === 'uninstall') return null;
  return { say: 'on', by: telemetry.by, ...(telemetry.noticeId === undefined ? {} : { noticeId: telemetry.noticeId }) };
};
