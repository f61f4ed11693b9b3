/** What `telemetry prove` shows: with what it looked, what each of the two runs did, and what that proves. */

import type { Means, Proof } from '../../telemetry/prove/prove.ts';
import { destinationText, type Seen } from '../../telemetry/prove/verdict.ts';
import { amount, labelled, printable, several, withoutMiddle } from '../layout.ts';
import type { Look } from '../look.ts';

const mostShown = 8;
const indent = 4;
const labelWidth = 14;

export const proofLines = (name: string, title: string, proof: Proof, look: Look): string[] => {
  const { paint } = look;
  return [
    `  ${paint.strong(name)} ${look.symbols.dot} ${printable(title)}, in a network that leads nowhere`,
    '',
    ...meansLines(proof.means, look),
    '',
    ...seenLines('consent off', proof.off, proof, look),
    '',
    ...(proof.on === null
      ? [`  ${paint.strong('consent on')}`, ...row('', 'there is nothing to say yes to, so this was not run', look)]
      : seenLines('consent on', proof.on, proof, look)),
    '',
    ...verdictLines(proof, look),
  ];
};

const row = (label: string, text: string, { paint, columns }: Look): string[] =>
  labelled(paint.faint(label), printable(text), { indent, label: labelWidth, columns });

const meansLines = (means: readonly Means[], look: Look): string[] => {
  const used = means.filter((one) => one.used).map((one) => `${words[one.id]} (${one.with})`);
  const missing = means.flatMap((one) => (one.needs === null ? [] : [`${words[one.id]} need ${one.needs}`]));
  return [
    ...row('looked at', used.join(', '), look),
    ...(missing.length === 0 ? [] : row('not at', missing.join('; '), look)),
  ];
};

const words: Readonly<Record<Means['id'], string>> = {
  packets: 'packets',
  calls: "the server's and Assent's calls",
  lookups: 'name look-ups',
  connections: 'connections',
};

const seenLines = (heading: string, seen: Seen, { means, seconds }: Proof, look: Look): string[] => {
  const { traffic, files, counted, sent } = seen;
  const has = (id: Means['id']): boolean => means.some((one) => one.id === id && one.used);
  const of = traffic.clients === 0 ? '' : ` from ${several(traffic.clients, 'client')}`;
  const mails = traffic.mails === 0 ? '' : `, ${traffic.mails} mail`;
  return [
    `  ${look.paint.strong(heading)}`,
    ...row('traffic', `${several(traffic.requests, 'request')}${of}${mails}; then watched for ${seconds} s`, look),
    ...row('packets', has('packets') ? packetsText(seen) : 'not looked at', look),
    ...row('look-ups', listed(seen.lookups, 'none'), look),
    ...row('destinations', listed(seen.destinations.map(saidText), 'none but loopback'), look),
    ...row('files', has('calls') ? listedPaths(files, 'none', look) : 'not looked at', look),
    ...row(
      'telemetry',
      listedPaths(
        counted.map((one) => one.path),
        'no file',
        look,
      ),
      look,
    ),
    ...row('reports', sent.bytes === 0 ? 'none sent' : `${amount(sent.bytes)} to the sink of this proof`, look),
    ...(seen.worthless === null ? [] : row('but', seen.worthless, look)),
  ];
};

const packetsText = ({ packetCount, packets }: Seen): string =>
  packetCount === 0 ? 'none but loopback' : `${packetCount}: ${listed(packets, '')}`;

const saidText = (destination: Seen['destinations'][number]): string =>
  `${destinationText(destination)}${destination.said === null ? '' : `, which was told "${destination.said}"`}`;

/** Long ones without their middle, so that none breaks in the terminal; --json has them whole. */
const listedPaths = (paths: readonly string[], none: string, { columns, symbols }: Look): string => {
  const room = Math.max(20, columns - indent - labelWidth);
  const shown = paths.map((path) => withoutMiddle(printable(path), room, symbols.more));
  return listed(shown, none);
};

/** One a line, and not all where there are many. */
const listed = (all: readonly string[], none: string): string => {
  if (all.length === 0) return none;
  const more = all.length > mostShown ? [`and ${all.length - mostShown} more (--json has them)`] : [];
  return [...all.slice(0, mostShown), ...more].join('\n');
};

const verdictLines = ({ verdict, reasons, off }: Proof, { paint, symbols, columns }: Look): string[] => {
  const text = (mark: string, sentence: string): string[] => labelled(mark, sentence, { indent: 2, label: 2, columns });
  if (verdict === 'clean') {
    const files = off.files.length === 0 ? '' : ', and no file is telemetry';
    return text(paint.good(symbols.done), `clean: with consent off nothing was sent or looked up${files}`);
  }
  const heading = verdict === 'unproven' ? 'nothing is proved' : 'with consent off it reaches out';
  const mark = verdict === 'unproven' ? paint.caution(symbols.caution) : paint.bad(symbols.failed);
  return [...text(mark, heading), ...reasons.flatMap((reason) => text('', printable(reason)))];
};
