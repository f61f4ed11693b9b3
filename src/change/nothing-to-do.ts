/**
 * What stands already. `install` of what is installed with the same settings, and `upgrade` to what runs, change nothing; `install`
 * of something else over it is an upgrade or a reinstall, and says so.
 */

import { Failure } from '../errors.ts';
import { readSecrets } from '../instance/secrets.ts';
import { resolveSettings } from '../product/resolve-settings.ts';
import { readSecretSource } from '../product/secret-reference.ts';
import { compareVersions } from '../product/versions.ts';
import { refuseUnwritable } from './hold.ts';
import type { ChangeRequest, Ports } from './request.ts';
import type { Target } from './target.ts';

/** 'unchanged', another request that was agreed to instead, or undefined: go on. Throws 'usage-exists'. */
export const standing = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
): Promise<'unchanged' | ChangeRequest | undefined> => {
  if (target.from === null || (target.kind !== 'install' && target.kind !== 'upgrade')) return undefined;
  const order = compareVersions(target.release.version, target.from.version);
  const same = order === 0 && sameSettings(ports, request, target);
  if (same) return tellUnchanged(ports, request, target);
  if (target.kind === 'upgrade' && order > 0) return undefined;
  refuseOtherSupervisor(request, target);
  return otherChange(ports, request, target, order > 0 ? 'upgrade' : 'reinstall', order);
};

const tellUnchanged = (ports: Ports, request: ChangeRequest, { paths, product, release }: Target): 'unchanged' => {
  ports.events.note(`${product.title} ${release.version} is installed as "${paths.name}" already.`);
  if (request.telemetry?.say === 'on') {
    ports.events.note(
      `Consent is given in an installation or not at all. To be asked again: assent reinstall ${paths.name}.`,
    );
  }
  return 'unchanged';
};

/** No change of what is installed takes another one. */
const refuseOtherSupervisor = ({ supervisor }: ChangeRequest, { before, product, paths }: Target): void => {
  if (before === null || supervisor === undefined || supervisor === before.supervisor) return;
  throw new Failure(
    'usage-exists',
    `${product.title} is installed as "${paths.name}" already, under the supervisor ${before.supervisor}.`,
    `To have it under ${supervisor}: assent uninstall ${paths.name}, which keeps its data, and then the same command again. For a second one beside it: --name ${product.name}-2.`,
  );
};

const otherChange = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  kind: 'upgrade' | 'reinstall',
  order: number,
): Promise<ChangeRequest> => {
  const { paths, product, release, from } = target;
  const difference = order === 0 ? 'with other settings' : `${from?.version}`;
  const reason = `${product.title} is installed as "${paths.name}" already, ${difference}.`;
  if (order < 0)
    throw new Failure(
      'usage-exists',
      reason,
      `${release.version} is older. To go back to the release before: assent rollback ${paths.name}.`,
    );
  const instead: ChangeRequest = {
    ...request,
    kind,
    instance: paths.name,
    ...(kind === 'upgrade' ? { to: release.version } : {}),
  };
  if (ports.asker.interactive && !request.dryRun) {
    refuseUnwritable(paths);
    if (await ports.asker.offer(kind, reason)) return instead;
  }
  const command =
    kind === 'upgrade' ? `assent upgrade ${paths.name} --to ${release.version}` : `assent reinstall ${paths.name}`;
  throw new Failure(
    'usage-exists',
    reason,
    `Change it with: ${command}. For a second one beside it: --name ${product.name}-2.`,
  );
};

/** Whether what was given is what the instance has already. */
const sameSettings = (ports: Ports, request: ChangeRequest, { before, product, paths }: Target): boolean => {
  if (before === null || (request.supervisor !== undefined && request.supervisor !== before.supervisor)) return false;
  const there = readSecrets(paths);
  const { settings, secrets } = resolveSettings(product, {
    given: request.given,
    before: before.settings,
    secretsThere: Object.keys(there),
    ...(request.places === undefined ? {} : { places: request.places }),
  });
  const sameSecrets = product.settings.every((setting) => {
    const source = secrets[setting.name];
    return source === undefined || readSecretSource(ports.world, setting, source) === there[setting.name];
  });
  return (
    sameSecrets &&
    Object.keys(request.given).every((name) => name in secrets || settings[name] === before.settings[name])
  );
};
