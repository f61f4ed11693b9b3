/**
 * The notice's words. Whoever changes one changes the id of every notice, and every playbook that says yes falls to off until
 * somebody has read the new text: that is meant to be so.
 */

import type { Notice, NoticeWords } from './notice.ts';

type Promises = Omit<Notice, 'words'>;

/** `keptOff`: the server has a telemetry of its own that no answer turns on. `refused`: the admin chose that nobody receives anything. */
export const wordsOf = (
  notice: Promises,
  { keptOff, refused }: { keptOff: boolean; refused: boolean },
): NoticeWords => ({
  heading:
    notice.counters.length > 0
      ? `Usage statistics of ${notice.title}: your choice, for this installation only`
      : `Telemetry of ${notice.title}: your choice, for this installation only`,
  rows: [...(notice.counters.length > 0 ? countingRows(notice, refused) : []), ...itselfRows(notice, keptOff), until],
  closing: 'Nothing is counted, opened or looked up, and nobody is contacted for it, before a yes.',
});

const countingRows = (notice: Promises, refused: boolean): { label: string; text: string }[] => [
  { label: 'counted', text: `${counted(notice)}; by ${dimensions(notice)}` },
  {
    label: 'never',
    text: 'addresses, host names, accounts, names, content, cookies, identifiers; nobody whose browser sends Do Not Track or Global Privacy Control',
  },
  {
    label: 'groups',
    text: `a number with fewer than ${notice.smallestGroup} people behind it is dropped before it is written`,
  },
  { label: 'goes to', text: recipient(notice, refused) },
  { label: 'kept', text: `totals for ${days(notice.retentionDays)}, on this server` },
];

const counted = ({ counters }: Promises): string => counters.map(({ title }) => title).join(', ');

const dimensions = (notice: Promises): string =>
  listed(notice.dimensions.map((name) => ({ browser: 'browser family', hour: 'hour of day', day: 'day (UTC)' })[name]));

const recipient = ({ recipient: to, period }: Promises, refused: boolean): string => {
  if (refused) return 'nobody: you chose so, totals stay on this server';
  if (to === null) return 'nobody: this product names no recipient, totals stay on this server';
  const report = `${to.name}, at ${to.endpoint}: totals, one report a ${period}`;
  return to.policy === null ? report : `${report}; its privacy policy: ${to.policy}`;
};

const itselfRows = ({ title, ownTelemetry }: Promises, keptOff: boolean): { label: string; text: string }[] => {
  if (keptOff)
    return [{ label: 'itself', text: `${title} has a telemetry of its own: it is kept off, whatever you answer` }];
  if (ownTelemetry === null) return [];
  const { sends, to, identifiers, restart } = ownTelemetry;
  const off = restart ? 'a no turns it off, which takes a restart of the server' : 'a no turns it off at once';
  return [
    {
      label: 'itself',
      text: `${title} has a telemetry of its own, off now; a yes turns it on. It sends: ${sends}. To: ${to}. Identifiers: ${identifiers}. Later ${off}`,
    },
  ];
};

const until = {
  label: 'until',
  text: 'the next install, reinstall, upgrade or rollback, which starts with off and asks again; off at any time: assent telemetry off',
} as const;

const days = (count: number): string => (count === 1 ? '1 day' : `${count} days`);

const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
