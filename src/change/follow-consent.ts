/**
 * What a yes turns on follows the resolver: who counts and sends beside the server, and the server's own telemetry. All of it is off before
 * every start; only behind a finished change with a yes is it turned on. The server's own only if the notice had a section for it, and it is read back.
 */

import type { ConsentForService } from '../consent/for-service.ts';
import { consentForService } from '../consent/for-service.ts';
import { consentOf } from '../consent/gather.ts';
import { readNotice } from '../consent/notice-file.ts';
import { openWindow } from '../consent/telemetry-folder.ts';
import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { ensureProgram, findProgram, type Program } from '../release/program.ts';
import type { StoredRelease } from '../release/store.ts';
import { findStored } from '../release/store.ts';
import { companionsAreThere, installCompanions, removeCompanions } from '../service/companions.ts';
import { gate } from '../service/health.ts';
import { readBackTelemetry } from '../service/own-telemetry.ts';
import { comingVetoOf } from '../service/server-veto.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { hostOf, serviceSpec } from '../service/spec.ts';
import type { Supervisor } from '../service/supervisor.ts';
import { supervisors } from '../service/supervisor.ts';
import { storedRelease } from './context.ts';
import type { Hold } from './hold.ts';
import { holdBetweenChanges } from './hold.ts';
import type { Ports } from './request.ts';

/** Behind a change: what counts, sends, or belongs to the server itself follows the answer, unless another change has come already, behind which it does. Never fails the change. */
export const followConsent = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  let hold: Hold | undefined;
  let began = false;
  try {
    hold = await holdBetweenChanges(ports.world, paths, 'telemetry', patienceMs);
    if (hold === undefined) return leftTo(ports, paths);
    const now = await serviceNow(ports, paths);
    if (now === undefined) return await removeLeft(ports, paths);
    began = now.consent.counting;
    if (began) {
      openWindow(ports.world, paths, now.state.generation);
      await installCompanions(now.spec, now.state.supervisor);
    } else await removeCompanions(now.spec);
    if (now.consent.own && mayTurnOn(paths, now)) await restartWith(now);
  } catch (error) {
    ports.events.warn({
      id: 'telemetry-not-on',
      message: `Not all that the yes to telemetry turns on could be turned on: ${messageOf(error)}.`,
      remedy: `What is not on stays off. See: assent doctor ${paths.name}`,
    });
  } finally {
    hold?.release();
  }
  await offWhereWithdrawn(ports, paths, began);
};

/** A change that has come already follows the answer behind itself. Anybody else does not. */
const leftTo = ({ world }: Ports, paths: InstancePaths): void => {
  if (unfinished(paths) === null && consentOf(world, paths).collecting)
    throw new Error('another run holds the instance');
};

/** Milliseconds that somebody may be in our way who is just looking, or ending. */
const patienceMs = 2000;

/**
 * For whoever has held the instance, and holds it no more: who has withdrawn meanwhile found it held, and left to us what a yes has turned on. `began`: a yes was
 * in force then. What a change has undone is off already, and another yes is another change's.
 */
export const offWhereWithdrawn = async (ports: Ports, paths: InstancePaths, began: boolean): Promise<void> => {
  if (began && !['accepted', 'not-asked'].includes(consentOf(ports.world, paths).state))
    await serverOffOrTold(ports, paths);
};

/**
 * For a withdrawal: whoever counts or sends beside the server is gone, the server starts without what counts from now on, and its own telemetry
 * is off, restarted where that is needed, and read back. Throws where the server itself still sends.
 */
export const serverTelemetryOff = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  const isOurs = isMeant(paths);
  if (!isOurs && !companionsAreThere(ports.world, paths)) return;
  const hold = await holdBetweenChanges(ports.world, paths, 'telemetry off', patienceMs);
  if (hold === undefined) return isOurs ? refuseWhereItSends(ports, paths) : undefined;
  try {
    const now = isOurs ? await serviceNow(ports, paths) : undefined;
    if (now === undefined) return await removeLeft(ports, paths);
    await unloaded(ports, now);
    if (mayTurnOn(paths, now)) await restartWith(now);
  } finally {
    hold.release();
  }
};

/** Telemetry makes no change fail: a server that does not obey is told of, and may be just what this change is to mend. */
export const serverOffOrTold = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  // A change that is open keeps it off by itself, before every start; and what can't be read names no server.
  if (!isReadable(paths) || unfinished(paths) !== null) return;
  try {
    await serverTelemetryOff(ports, paths);
  } catch (error) {
    ports.events.warn({
      id: 'own-telemetry',
      message: `The server's own telemetry is still sending until restarted: ${messageOf(error)}.`,
      remedy: `It is kept off before every start. If this goes on, stop it: assent stop ${paths.name}`,
    });
  }
};

const isReadable = (paths: InstancePaths): boolean => {
  try {
    return readState(paths) !== undefined;
  } catch {
    return false;
  }
};

/**
 * Somebody is in our way, most often a change, whose units and servers must not be touched from beside it: it may have written the next release's already. Beside the server
 * nobody counts or sends without asking the resolver, and a change that runs keeps the rest off; what is left is a server that still sends by itself.
 */
const refuseWhereItSends = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  if (unfinished(paths)?.running === true) return;
  // It may be another user's instance, in whose home root makes nothing; and to look, no program of ours is needed.
  const now = serviceWith(ports, paths, findProgram(ports.world, ports.home));
  if (now === undefined || !mayTurnOn(paths, now)) return;
  const reading = await readBackTelemetry(now.spec);
  if (reading === undefined || reading.obeyed === true) return;
  if ((await now.supervisor.observe(now.spec)).state !== 'running') return;
  const why = unfinished(paths) === null ? 'another run holds it' : `a change waits for: assent recover ${paths.name}`;
  throw new Error(`${reading.detail}, and ${why}`);
};

const unloaded = (ports: Ports, { spec, supervisor }: ServiceNow): Promise<void> =>
  orTold(ports, `Restart the server: assent restart ${spec.instance}`, async () => {
    await removeCompanions(spec);
    await supervisor.install(spec);
  });

/** What runs beside the server may be from a yes to another release, which had a notice; and needs none to be taken away. */
const removeLeft = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  const state = readState(paths);
  if (state?.installed !== true) return;
  const named = { host: hostOf(ports.world, null), instance: paths.name, paths, supervisor: state.supervisor };
  await orTold(ports, `Take it away with: assent telemetry off ${paths.name}`, () => removeCompanions(named));
};

/** Whatever is left of it asks the resolver before it counts or sends, so it is no more than untidy. */
const orTold = async ({ events }: Ports, remedy: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const message = `What counts or sends may still be loaded, and does nothing: ${messageOf(error)}.`;
    events.warn({ id: 'still-loaded', message, remedy });
  }
};

/** A release that is gone is nobody's trouble here, where its server sends nothing by itself. */
const isMeant = (paths: InstancePaths): boolean => {
  const state = readState(paths);
  if (state?.installed !== true || state.noticeId === null) return false;
  const { product, version, digest } = state.release;
  const isThere = findStored(paths.home, product, version, digest) !== undefined;
  return isThere || readNotice(paths, state.noticeId)?.ownTelemetry !== null;
};

interface ServiceNow {
  readonly state: InstanceState;
  readonly stored: StoredRelease;
  readonly spec: ServiceSpec;
  readonly supervisor: Supervisor;
  readonly consent: ConsentForService;
}

/** The service as consent has it now. Undefined where nothing is installed, or its product has nothing to consent to. */
const serviceNow = async (ports: Ports, paths: InstancePaths): Promise<ServiceNow | undefined> =>
  hasNotice(readState(paths)) ? serviceWith(ports, paths, await anyProgram(ports)) : undefined;

/** What is to be taken away or restarted can do with a copy that can't be made sound now: without a network, say. */
const anyProgram = ({ world, home }: Ports): Promise<Program> =>
  ensureProgram(world, home).catch(() => findProgram(world, home));

const hasNotice = (state: InstanceState | undefined): state is InstanceState =>
  state?.installed === true && state.noticeId !== null;

const serviceWith = (ports: Ports, paths: InstancePaths, program: Program): ServiceNow | undefined => {
  const state = readState(paths);
  if (!hasNotice(state)) return undefined;
  const stored = storedRelease(paths, state.release);
  const host = hostOf(ports.world, program);
  // Of the server that the spec would start; the one that runs may have been started before.
  const consent = consentForService(ports.world, paths, comingVetoOf(ports.world, paths), state.veto);
  const spec = serviceSpec(host, state, stored, paths, consent);
  return { state, stored, spec, supervisor: supervisors[state.supervisor], consent };
};

/** What a yes can turn on of the server's own stands in the stored notice. */
const mayTurnOn = (paths: InstancePaths, { state, stored }: ServiceNow): boolean =>
  state.noticeId !== null &&
  readNotice(paths, state.noticeId)?.ownTelemetry !== null &&
  stored.release.ownTelemetry?.notice !== undefined;

/** Restarts a running server that does not do as the spec says, waits until it answers, and asks it again. */
const restartWith = async ({ spec, supervisor }: ServiceNow): Promise<void> => {
  const { state } = await supervisor.observe(spec);
  await supervisor.install(spec);
  if (state === 'stopped' || (await readBackTelemetry(spec))?.obeyed === true) return;
  if (supervisor.kind === 'none') throw new Error('nobody here can restart it: that is up to whoever runs it');
  await supervisor.stop(spec);
  await supervisor.start(spec);
  const health = await gate(supervisor, spec);
  const reading = await readBackTelemetry(spec);
  if (reading === undefined || reading.obeyed === true) return;
  // What does not run sends nothing.
  if ((await supervisor.observe(spec)).state !== 'running' && !spec.ownTelemetry?.on) return;
  throw new Error(health.healthy ? reading.detail : `${reading.detail} (${health.reason ?? 'it is not healthy'})`);
};
