/**
 * Looks at everything that a plan depends on, and changes nothing: what runs and how healthy it is, what is stored already,
 * how large the data is, what is free on each filesystem, which ports are taken, which configuration was edited.
 *
 * What makes the change impossible is refused here, while nothing has happened: an upgrade is checked like an install.
 */

import { Failure } from '../errors.ts';
import { hasRecoveryCopy } from '../instance/recovery-copy.ts';
import type { Account, InstanceState, SupervisorKind } from '../instance/state.ts';
import type { Settings } from '../product/settings.ts';
import { releaseFolder } from '../release/layout.ts';
import { countPackages, refuseUnready } from '../release/make-release.ts';
import { ensureProgram, findProgram, hasProgram } from '../release/program.ts';
import { findRuntime, nodePath } from '../release/runtime.ts';
import { ownNodeVersion } from '../release/runtimes.ts';
import type { StoredRelease } from '../release/store.ts';
import { findStored } from '../release/store.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { consentOff, hostOf, serviceSpec } from '../service/spec.ts';
import { detectSupervisor, supervisors } from '../service/supervisor.ts';
import { statIfThere } from '../system/files.ts';
import { listMounts } from '../system/mounts.ts';
import { portHolder } from '../system/net.ts';
import type { TreeSize } from '../system/tree.ts';
import { measureTree } from '../system/tree.ts';
import { treeOptions } from './as-account.ts';
import type { SettledSettings } from './ask.ts';
import type { Configuration } from './configure.ts';
import { configure } from './configure.ts';
import { dataFolder } from './data-choice.ts';
import { type FoundService, foundService } from './found-service.ts';
import { newAccount } from './new-account.ts';
import { wrongAnswerIn } from './node-answer.ts';
import { refuseUnreachable } from './reachable.ts';
import { type Rehearsal, rehearsalChance } from './rehearsal/eligibility.ts';
import type { ChangeRequest, DataOf, Ports } from './request.ts';
import { nextOf } from './steps/parts.ts';
import type { Target } from './target.ts';
import { dataGone } from './way-back.ts';

export interface Survey extends FoundService {
  readonly supervisor: SupervisorKind;
  readonly account: Account | null;
  readonly specBefore: ServiceSpec | null;
  /** It runs, or nobody can tell, for its release is missing. */
  readonly mayRun: boolean;
  readonly stored: StoredRelease | undefined;
  /** How many packages the release has. */
  readonly packages: number;
  readonly settings: Settings;
  readonly dropped: SettledSettings['dropped'];
  readonly runtimeThere: boolean;
  readonly programThere: boolean;
  /** The copy that the instance keeps of the running Assent. */
  readonly recoveryThere: boolean;
  /** Null for a rollback, which takes the configuration of then, and for an uninstall. */
  readonly configuration: Configuration | null;
  readonly data: {
    readonly from: DataOf;
    readonly size: TreeSize;
    /** What a killed run has left of such a copy. */
    readonly stale: TreeSize | null;
  } | null;
  readonly rehearsal: Rehearsal | null;
}

export const survey = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  settled: SettledSettings,
): Promise<Survey> => {
  const { world, home } = ports;
  const { before, release, to } = target;
  const supervisor =
    target.from === null ? (request.supervisor ?? detectSupervisor(world)) : (before?.supervisor ?? 'process');
  // An uninstall leaves alone what is not ours: it is how an instance goes whose unit another home has overwritten.
  if (target.kind !== 'uninstall') await refuseOtherService(ports, target, supervisor);
  const account = before?.account ?? newAccount(ports, target.paths.name);
  if (account !== null && target.kind !== 'uninstall') await refuseUnreachable(home, account);
  const specBefore = target.from === null || before === null ? null : specOfBefore(ports, target, before);
  if (target.kind === 'uninstall' && target.from !== null && specBefore === null) throw releaseGone(target);
  const found = await foundService(world, specBefore, supervisor);
  const stored = findStored(home, to.product, to.version, to.digest);
  const mayRun = target.from !== null && (found.running || specBefore === null);
  if (target.kind !== 'uninstall') {
    // Its ports may well be held by itself.
    await refuseTakenPorts(target, settled.settings, mayRun ? (before?.settings ?? {}) : {});
    if (stored === undefined) await refuseUnready(world, home, target.product, release);
  }
  const renders = target.kind !== 'uninstall' && target.restore === null;
  return {
    supervisor,
    account,
    specBefore,
    ...found,
    mayRun,
    stored,
    packages: stored === undefined && target.kind !== 'uninstall' ? countPackages(world, target.product, release) : 0,
    settings: settled.settings,
    dropped: settled.dropped,
    runtimeThere: target.kind === 'uninstall' || (await runtimeRuns(ports, target)),
    programThere: await programRuns(ports, target),
    recoveryThere: hasRecoveryCopy(world, target.paths),
    configuration: renders ? configurationFor(ports, target, settled) : null,
    data: target.kind === 'uninstall' ? null : await dataToCopy(ports, settled.data, target, account),
    rehearsal: await rehearsalChance(ports, request, target, settled, found),
  };
};

/** That its file is there is not enough: a server that is stopped for a Node that does not run comes up neither with the new release nor with the old one. */
const runtimeRuns = async ({ world, home }: Ports, { paths, release: { runtime } }: Target): Promise<boolean> => {
  const node = runtime === undefined ? undefined : findRuntime(home, runtime);
  if (runtime === undefined || node === undefined) return runtime === undefined;
  return (await wrongAnswerIn({ world, paths }, node, runtime)) === null;
};

const programRuns = async ({ world, home }: Ports, { paths }: Target): Promise<boolean> =>
  hasProgram(world, home) &&
  (await wrongAnswerIn({ world, paths }, findProgram(world, home).node, ownNodeVersion)) === null;

/** Another home may have an instance of the same name, and its server is none of this change's. */
const refuseOtherService = ({ world }: Ports, { from, paths }: Target, kind: SupervisorKind): Promise<void> =>
  supervisors[kind].mustBeOurs({ host: hostOf(world, null), instance: paths.name, paths }, { isNew: from === null });

const configurationFor = (ports: Ports, target: Target, settled: SettledSettings): Configuration =>
  configure({
    world: ports.world,
    paths: target.paths,
    product: target.product,
    release: target.release,
    settings: settled.settings,
    givenSecrets: settled.secrets,
    node: target.release.runtime === undefined ? undefined : nodePath(ports.home, target.release.runtime),
    releaseFolder: releaseFolder(ports.home, target.to),
  });

/** Null where its release is gone: then there is nothing that could be stopped or started again. */
const specOfBefore = (ports: Ports, target: Target, state: InstanceState): ServiceSpec | null => {
  const { product, version, digest } = state.release;
  const stored = findStored(ports.home, product, version, digest);
  if (stored === undefined) return null;
  return serviceSpec(
    hostOf(ports.world, findProgram(ports.world, ports.home)),
    state,
    stored,
    target.paths,
    consentOff,
  );
};

const releaseGone = ({ paths, release, product }: Target): Failure =>
  new Failure(
    'refused-check',
    `The release ${product.title} ${release.version} is missing or incomplete in the store, and it alone tells how the server is stopped.`,
    `Nothing was changed. Store it again first: assent reinstall ${paths.name}. Then uninstall it.`,
  );

const refuseTakenPorts = async (target: Target, settings: Settings, ours: Settings): Promise<void> => {
  const address = typeof settings['listen'] === 'string' ? settings['listen'] : '127.0.0.1';
  for (const { name, type, title } of target.product.settings) {
    const port = settings[name];
    if (type !== 'port' || typeof port !== 'number' || Object.values(ours).includes(port)) continue;
    const holder = await portHolder(address, port);
    if (holder.free) continue;
    throw new Failure(
      'refused-port',
      `Port ${port} (${title}) is taken${holder.by === undefined ? '' : ` by ${holder.by}`}.`,
      `Choose another: --set ${name}=${port === 65535 ? 65534 : port + 1}. Nothing was changed.`,
    );
  }
};

const dataToCopy = async (
  ports: Ports,
  from: DataOf,
  target: Target,
  account: Account | null,
): Promise<Survey['data']> => {
  const folder = dataFolder(target, from);
  const stat = statIfThere(folder);
  if (stat === undefined && target.restore !== null && from === 'then') throw dataGone(folder);
  if (stat === undefined) return null;
  if (stat.kind !== 'folder') throw notMovable(folder, `a ${stat.kind}`);
  // The account's child needs a program that it may read: the verified copy, and nothing below a private home.
  if (account !== null) await ensureProgram(ports.world, ports.home);
  const size = await measureTree(folder, treeOptions({ account }));
  const mount = listMounts().find(({ point }) => point === folder)?.point ?? mountIn(size);
  if (mount !== undefined) throw notMovable(mount, 'a mount');
  return { from, size, stale: await sizeOfStale(nextOf(target.paths, 'data'), account) };
};

const mountIn = ({ left }: TreeSize): string | undefined => left.find(({ kind }) => kind === 'mount')?.path;

/** A copy would leave it out, and the new release would start without it. */
const notMovable = (path: string, what: string): Failure =>
  new Failure(
    'refused-check',
    `${path} is ${what}. Data are copied and switched as one folder on one filesystem, and it would be left out.`,
    'Nothing was changed. Move what lies there into the folder itself. To have the data on another disk, mount that on the whole --home.',
  );

/** The copy that a killed run has left: it goes before a new one is made, so its space counts as free. */
const sizeOfStale = async (path: string, account: Account | null): Promise<TreeSize | null> =>
  statIfThere(path)?.kind === 'folder' ? measureTree(path, treeOptions({ account })) : null;
