/** The notice above the question: its own words, the heading set apart. */
import type { Notice } from '../../consent/notice.ts';
import { renderNotice } from '../../consent/notice-text.ts';
import { printable } from '../layout.ts';
import type { Look } from '../look.ts';

export const noticeLines = (notice: Notice, { paint, columns }: Look): string[] => {
  const [heading = '', ...rest] = renderNotice(notice, columns).map(printable);
  return ['', paint.strong(heading), ...rest];
};
