/**
 * How telemetry stands, in people's words: one phrase for tables and last screens, and the whole of it for `telemetry status`.
 */

import { labelled, paragraph, printable, several } from '../layout.ts';
import type { Look } from '../look.ts';
import type { ConsentView, InstanceSummary } from '../result.ts';

/** What `telemetry status` prints of one instance. */
export const telemetryLines = (instance: InstanceSummary, consent: ConsentView, look: Look): string[] => {
  const row = (label: string, text: unknown) =>
    text === null || text === undefined || text === ''
      ? []
      : labelled(look.paint.faint(label), printable(String(text)), { indent: 4, label: 14, columns: look.columns });
  return [
    `  ${look.paint.strong(instance.name)} ${look.symbols.dot} ${printable(instance.title)} ${instance.version ?? ''}`.trimEnd(),
    ...row('collecting', consent.collecting ? 'yes' : 'no'),
    ...row('meaning', consent.meaning),
    ...row('state', consent.state),
    ...row('reason', consent.reason),
    ...row(
      'decided',
      consent.at === null
        ? null
        : `${consent.at}${consent.by === null ? '' : `, by ${ways[consent.by] ?? consent.by}`}`,
    ),
    ...row('generation', instance.generation),
    ...row('notice', consent.noticeId),
    ...row('counted', counted(consent['counted'])),
    ...row('so far', daysText(consent['days'])),
    ...row('goes to', goesTo(consent)),
    ...row('last report', lastReportText(consent)),
    ...row('refused', refusedText(consent['lastRefused'])),
    ...row('waiting', consent['bytesWaiting'] === undefined ? unseen : `${consent['bytesWaiting']} bytes`),
    ...row('this shell', consent['callerVetoes'] === true ? 'DO_NOT_TRACK is set here, too' : null),
  ];
};

/** Of one whose record this user may not read. */
export const unseenLines = ({ name, detail }: InstanceSummary & { readonly detail: string }, look: Look): string[] => {
  const row = (label: string, text: string) =>
    labelled(look.paint.faint(label), printable(text), { indent: 4, label: 14, columns: look.columns });
  return [`  ${look.paint.strong(name)}`, ...row('collecting', 'unknown'), ...row('because', detail)];
};

const unseen = 'unknown: this user may not see it, root may';

/** What `telemetry off` says when it is done. */
export const withdrawnLines = (
  {
    instance,
    changed,
    erased,
    warnings,
  }: {
    instance: InstanceSummary;
    changed: boolean;
    erased: { files: number; bytes: number };
    warnings: readonly string[];
  },
  { paint, symbols, columns }: Look,
): string[] => [
  ...labelled(
    paint.good(symbols.done),
    `${instance.name}: ${changed ? 'withdrawn. Nothing is counted from now on.' : 'was off already. Nothing is counted.'}`,
    { indent: 2, label: 2, columns },
  ),
  ...paragraph(
    `${erased.files === 0 ? 'There was nothing to erase.' : `Erased: ${erased.files} files and folders, ${erased.bytes} bytes on disk.`} Nothing was sent about it.`,
    { indent: 4, columns },
  ),
  ...warnings.flatMap((warning) =>
    labelled(paint.caution(symbols.caution), printable(warning), { indent: 2, label: 2, columns }),
  ),
];

const counted = (names: unknown): string => (Array.isArray(names) && names.length > 0 ? names.join(', ') : 'nothing');

/** Before the first day has been written there is nothing to tell. */
const daysText = (days: unknown): string | null => {
  if (!Array.isArray(days) || days.length === 0) return null;
  const [first, last] = [String(days[0]), String(days.at(-1))];
  return `${several(days.length, 'day')}${days.length === 1 ? `: ${first}` : `, ${first} to ${last}`} (UTC)`;
};

const neverSent = 'never: no report was ever sent';
const neverTaken = 'never: no report was ever taken';

const lastReportText = ({ lastReport, lastRefused }: ConsentView): string => {
  if (lastReport === undefined) return unseen;
  return typeof lastReport === 'string' ? lastReport : lastRefused ? neverTaken : neverSent;
};

/** The bytes were on their way all the same: whoever asks is told of it. */
const refusedText = (at: unknown): string | null =>
  typeof at === 'string'
    ? `${at}: a report was sent, and the recipient took nothing of it. A copy is in reports/`
    : null;

const goesTo = ({ recipient, endpoint }: ConsentView): string =>
  recipient ? `${recipient}${endpoint ? `, at ${endpoint}` : ''}` : 'nobody: no recipient is named';

const ways: Readonly<Record<string, string>> = {
  prompt: 'an answer at the question',
  flag: 'a flag',
  answers: 'an answers file',
};
