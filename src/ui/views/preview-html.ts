/**
 * The preview of a report as one page: everything is in it, and its policy (a meta element, for it is opened from a file) lets a browser
 * load nothing and send nothing. Style and script are allowed by their digests alone, and no other script can run.
 *
 * All numbers stand in tables, readable without script; the charts are drawn from them. What comes from outside (titles, versions, bytes) is
 * escaped, so it is text and never markup. The mark in the second line is how an earlier preview is known again before it is replaced.
 */

import { createHash } from 'node:crypto';
import { type Chart, chartsOf } from '../../telemetry/charts.ts';
import type { Preview } from '../../telemetry/preview.ts';
import { amount, several } from '../layout.ts';
import { asideTexts, destination, exampleText, textLines, waitingText } from './preview.ts';

const opening = '<!doctype html>\n<!-- assent telemetry preview -->\n';

/** Whether this text is a page that was made here. */
export const isPreviewPage = (text: string): boolean => text.startsWith(opening);

/** `script` draws the charts: dist/charts-page.js. */
export const previewPage = (preview: Preview, script: string): string => {
  const program = inScript(script);
  const { notice, version, report } = preview;
  const title = `A report of ${notice.title} ${version}`;
  return `${opening}<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(program)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(`${preview.example ? 'Example: ' : ''}${title}`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${preview.example ? `<p class="example" role="note">${escaped(exampleText)}</p>\n` : ''}<dl>
${facts(preview)
  .map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text)}</dd>`)
  .join('\n')}
</dl>
${asideTexts(preview)
  .map((text) => `<p>Not in this report: ${escaped(text)}</p>\n`)
  .join('')}${(report === undefined ? [] : chartsOf(report)).map(section).join('\n')}
${report === undefined ? '' : `${allNumbers(preview)}\n${bytes(preview)}`}
</main>
<script>${program}</script>
</body>
</html>
`;
};

const policy = (script: string): string =>
  `default-src 'none'; style-src '${digest(style)}'; script-src '${digest(script)}'; base-uri 'none'; form-action 'none'`;

const digest = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** A script that holds its own end, or the beginning of a comment, would end early. */
const inScript = (script: string): string => script.replace(/<(?=\/script|!--|script)/gi, '\\x3c');

const facts = ({ notice, report, waiting }: Preview): [string, string][] => [
  ['goes to', destination(notice.recipient)],
  ['how often', `one report a ${notice.period}, of whole days (UTC)`],
  [
    'smallest group',
    `a number with fewer than ${notice.smallestGroup} people behind it is dropped before it is written`,
  ],
  [
    'holds',
    report === undefined
      ? 'nothing yet: there is no number of a whole day with consent that was not reported'
      : `${several(report.numbers, 'number')} of ${report.from} to ${report.to}`,
  ],
  ...(waiting === null ? [] : [['waits', waitingText(waiting)] as [string, string]]),
];

const section = ({ id, title, bars }: Chart): string => {
  const rows = bars.map(({ label, count }) => `<tr><th scope="row">${escaped(label)}</th><td>${count}</td></tr>`);
  return `<section id="${id}">
<h2>${escaped(title)}</h2>
<table aria-label="${escaped(title)}" data-chart="${id === 'counters' || id === 'browsers' ? 'lying' : 'standing'}">
<tbody>
${rows.join('\n')}
</tbody>
</table>
</section>`;
};

const allNumbers = ({ report }: Preview): string => {
  const rows = (report?.counters ?? []).flatMap(({ title, days }) =>
    days.flatMap(({ day, total, browser, hour }) => [
      ...(total === null ? [] : [[title, day, 'all', total] as const]),
      ...Object.entries(browser).map(([family, count]) => [title, day, `browser ${family}`, count] as const),
      ...Object.entries(hour)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([at, count]) => [title, day, `hour ${at}`, count] as const),
    ]),
  );
  const cells = rows.map(
    ([title, day, which, count]) =>
      `<tr><th scope="row">${escaped(title)}</th><td>${day}</td><td>${escaped(which)}</td><td>${count}</td></tr>`,
  );
  return `<details id="numbers"><summary>Every number (${rows.length})</summary>
<table>
<thead><tr><th scope="col">counter</th><th scope="col">day (UTC)</th><th scope="col">of</th><th scope="col">number</th></tr></thead>
<tbody>
${cells.join('\n')}
</tbody>
</table>
</details>`;
};

const bytes = (preview: Preview): string =>
  `<details id="bytes" open><summary>The bytes, exactly (${amount(preview.report?.bytes.length ?? 0)}, OTLP/HTTP JSON)</summary>
<pre>${escaped(`${textLines(preview).join('\n')}\n`)}</pre>
</details>`;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

const style = `
:root { --page: #fdfdfb; --text: #1d2327; --faint: #59636b; --line: #d8dcdf; --bar: #1f6f8b; --mark: #7a4b00; --marked: #fff3d6; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15191c; --text: #e6e9eb; --faint: #a3adb4; --line: #384047; --bar: #63b7d3; --mark: #ffd58a; --marked: #3a2c0c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
.example { background: var(--marked); color: var(--mark); border-left: 4px solid; padding: .6rem .9rem; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
section { margin: 2.5rem 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
.chart { position: relative; width: 100%; margin-bottom: 1rem; }
section table { max-width: 26rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; font-weight: normal; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; padding-right: 0; }
summary { cursor: pointer; font-weight: 600; margin: 1.5rem 0 .5rem; }
pre { overflow: auto; max-height: 30rem; padding: .75rem; border: 1px solid var(--line); font-size: .8rem; line-height: 1.4; }
@media print { .chart { break-inside: avoid; } pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; } }
`;
