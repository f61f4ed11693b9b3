/** `--save-answers`: the answers that were used, ready for `--answers`. A no is saved, a yes never; secrets as references. */

import { resolve } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { renderAnswers } from '../product/answers.ts';
import type { SecretReference } from '../product/secret-reference.ts';
import { writeDurably } from '../system/files.ts';
import type { Heard, SettledSettings } from './ask.ts';
import type { ChangeRequest, Ports } from './request.ts';
import type { Target } from './target.ts';

export const saveAnswers = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  settled: SettledSettings,
  heard: Heard,
): Promise<void> => {
  if (request.saveAnswers === undefined) return;
  const secrets = Object.fromEntries(
    Object.entries(settled.sources).filter((entry): entry is [string, SecretReference] => entry[1].kind !== 'typed'),
  );
  const text = await renderAnswers({
    product: `${target.manifest ?? target.product.name}@${target.release.version}`,
    name: target.paths.name,
    settings: settled.settings,
    secrets,
    ...(heard.answer.say === 'no' ? { telemetry: 'off' as const } : {}),
  });
  const path = resolve(ports.world.cwd, request.saveAnswers);
  try {
    writeDurably(path, text, { mode: 0o600 });
  } catch (error) {
    throw new Failure(
      'usage-answers',
      `--save-answers: ${path} can't be written: ${messageOf(error)}.`,
      'Name a file in a folder that is there and yours. Nothing was changed.',
      error,
    );
  }
};
