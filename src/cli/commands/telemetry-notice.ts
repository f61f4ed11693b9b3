/**
 * `assent telemetry notice [NAME [--to VERSION] | PRODUCT[@VERSION]]`: the notice of the release that would run, and its id.
 * An installed instance without --to shows the notice that is stored with it.
 */

import { noticeId } from '../../consent/notice.ts';
import { noticeText, renderNotice } from '../../consent/notice-text.ts';
import { paragraph, printable } from '../../ui/layout.ts';
import type { Run } from '../invocation.ts';
import { noticeAbout } from '../notice-about.ts';
import { givenBy } from '../request.ts';

export const run: Run = async ({ world, home, flags, operands, look }) => {
  const { answers, common } = await givenBy(world, flags);
  const settings = { given: common.given, places: common.places ?? {} };
  const { version, notice } = await noticeAbout(world, home, operands[0] ?? answers?.product, flags.to, settings);
  if (notice === null) {
    const text = `This product declares no telemetry: nothing would be counted, and there is nothing to agree to.`;
    return {
      result: { outcome: 'unchanged', changed: false, notice: { id: null, text, counters: [], recipient: null } },
      screen: paragraph(text, { indent: 2, columns: look.columns }),
    };
  }
  const id = noticeId(notice);
  const { words: _, ...promises } = notice;
  return {
    result: { outcome: 'unchanged', changed: false, notice: { id, text: noticeText(notice), ...promises, version } },
    screen: [
      ...renderNotice(notice, look.columns, { routes: true }).map(printable),
      '',
      `  For scripts: --telemetry=on --telemetry-notice=${look.paint.strong(id)}`,
    ],
  };
};
