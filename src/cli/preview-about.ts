/** Which report is previewed: the real one of an instance where consent is in force, an example of whatever else was named. */

import { consentOf } from '../consent/gather.ts';
import { readNotice } from '../consent/notice-file.ts';
import { listInstances } from '../instance/find.ts';
import { instancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { serverVetoOf } from '../service/server-veto.ts';
import { partsOwner } from '../telemetry/parts.ts';
import { examplePreview, type Preview, realPreview } from '../telemetry/preview.ts';
import type { Invocation } from './invocation.ts';
import { noticeAbout } from './notice-about.ts';
import { refuseUnreadable } from './reading.ts';
import { givenBy } from './request.ts';

/** Null where nothing would ever be counted. */
export const previewAbout = async ({ world, home, flags, operands }: Invocation): Promise<Preview | null> => {
  const { answers, common } = await givenBy(world, flags);
  const about = operands[0] ?? answers?.product;
  const settings = { given: common.given, places: common.places ?? {} };
  const { notice, version } = await noticeAbout(world, home, about, undefined, settings);
  if (notice === null || notice.counters.length === 0) return null;
  const name = listInstances(home).find((one, _, all) => (about ?? (all.length === 1 ? one : undefined)) === one);
  const paths = name === undefined ? undefined : instancePaths(home, name);
  if (paths !== undefined) refuseUnreadable(paths);
  const state = paths === undefined ? undefined : readState(paths);
  const isAsInstalled = Object.keys(common.given).length === 0;
  if (
    paths !== undefined &&
    state?.noticeId &&
    isAsInstalled &&
    consentOf(world, paths, serverVetoOf(world, paths)).collecting
  ) {
    const stored = readNotice(paths, state.noticeId);
    const shown = { version: state.release.version, uid: partsOwner(paths, state), now: world.now() };
    if (stored !== undefined) return realPreview(paths, { notice: stored, ...shown });
  }
  return examplePreview(notice, version);
};
