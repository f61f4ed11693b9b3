/**
 * Instances for people: a table of all, one in full, and the last screen of a change.
 */

import { fitting, labelled, paragraph, printable, table, wrap } from '../layout.ts';
import type { Look } from '../look.ts';
import type { InstanceView } from '../result.ts';

/** A line an instance, or what a narrow screen has room for; below them, of which it needs a word, why it is as it is. */
export const tableLines = (instances: readonly InstanceView[], look: Look): string[] => [
  ...fitting(
    look.columns,
    () => table(rowsOf(instances, look)),
    () => withAddressBelow(instances, look),
    () => instances.flatMap((instance) => blockOf(instance, look)),
  ),
  ...instances.flatMap((instance) => reasonLines(instance, look)),
];

const rowsOf = (instances: readonly InstanceView[], look: Look): string[][] => {
  const { paint } = look;
  const head = ['NAME', 'PRODUCT', 'VERSION', 'STATE', 'TELEMETRY', 'ADDRESS'].map(paint.faint);
  return [
    head,
    ...instances.map((instance) => [
      paint.strong(instance.name),
      instance.product,
      instance.version ?? '-',
      stateText(instance, look),
      telemetryText(instance),
      addressOf(instance),
    ]),
  ];
};

/** The address is what is longest, and what is left out of the rows first. */
const withAddressBelow = (instances: readonly InstanceView[], look: Look): string[] =>
  table(rowsOf(instances, look).map((row) => row.slice(0, -1))).flatMap((line, at) => {
    const instance = instances[at - 1];
    return [line, ...(instance === undefined ? [] : addressLines(instance))];
  });

/** One below the other, where names are too long for columns. */
const blockOf = (instance: InstanceView, look: Look): string[] => {
  const { name, product, version } = instance;
  const text = `${product} ${version ?? ''}`.trim();
  return [
    `  ${look.paint.strong(name)}`,
    ...paragraph(`${text}, ${stateText(instance, look)}, telemetry ${telemetryText(instance)}`, { ...look, indent: 4 }),
    ...addressLines(instance),
  ];
};

const addressLines = (instance: InstanceView): string[] =>
  addressOf(instance) === '' ? [] : [`    ${addressOf(instance)}`];

const addressOf = ({ urls }: InstanceView): string => printable(Object.values(urls)[0] ?? '');

const telemetryText = ({ consent }: InstanceView): string =>
  consent === undefined ? 'unknown' : consent.collecting ? 'on' : 'off';

const reasonLines = ({ name, detail }: InstanceView, { columns }: Look): string[] =>
  detail === undefined
    ? []
    : wrap(printable(`${name}: ${detail}`), columns - 4).map((line, at) => `${at === 0 ? '  ' : '    '}${line}`);

/** One instance in full. */
export const instanceLines = (instance: InstanceView, look: Look): string[] => [
  `  ${look.paint.strong(printable(`${instance.title} ${instance.version ?? ''}`.trim()))} is ${stateText(instance, look)}.`,
  ...detailLines(instance, look),
];

/** What stands below the headline: addresses, password, telemetry, where things are. */
export const detailLines = (instance: InstanceView, look: Look): string[] => {
  const row = rowOf(look);
  const { login, consent, unfinished } = instance;
  return [
    ...row('because', printable(instance.detail ?? '')),
    ...(unfinished === undefined ? [] : row('change', printable(unfinishedText(instance)))),
    ...row('trial', trialText(instance, look)),
    ...Object.entries(instance.urls).flatMap(([name, url]) => row(printable(name), printable(url))),
    ...row('login', printable(loginText(login))),
    ...row('telemetry', consent === undefined ? 'unknown' : consent.meaning),
    ...row('its own', ownTelemetryText(instance, look)),
    ...row('before', instance.previous === null ? '' : `${instance.previous}; back to it: assent rollback`),
    ...row('kept by', supervisorText(instance)),
    ...row('files', printable(instance.paths['folder'] ?? '')),
  ];
};

export const rowOf =
  (look: Look) =>
  (label: string, text: string): string[] =>
    text === '' ? [] : labelled(look.paint.faint(label), text, { indent: 4, label: 12, columns: look.columns });

const loginText = (login: InstanceView['login']): string => {
  if (login === undefined) return '';
  const password = login.passwordFile === null ? '' : `, password in ${login.passwordFile}`;
  return `${login.user}${password}`;
};

/** Worth a line only where the server does something else than it was told. */
const ownTelemetryText = ({ name, ownTelemetry }: InstanceView, { paint }: Look): string => {
  if (ownTelemetry === undefined || ownTelemetry.obeyed === true) return '';
  const detail = printable(ownTelemetry.detail);
  const remedy = `To set it again: assent restart ${name}`;
  if (ownTelemetry.obeyed === 'unknown') return `whether the server sends by itself is unknown: ${detail}. ${remedy}`;
  return `${paint.bad("the server's own telemetry does not obey")}, ${detail}. ${remedy}`;
};

const stateText = ({ state, health, unfinished }: InstanceView, { paint }: Look): string => {
  if (unfinished !== undefined)
    return paint.caution(unfinished.running ? `in the middle of ${article(unfinished.kind)}` : 'interrupted');
  if (state === 'running' && health === 'healthy') return paint.good('running and healthy');
  if (state === 'running' && health === 'unhealthy') return paint.bad('running, but unhealthy');
  return state === 'failed' ? paint.bad('down: it failed') : state === 'running' ? 'running' : state;
};

/** What a trial is about to do, has done, or waits for. */
const trialText = ({ trial, failedTrial, version, previous }: InstanceView, { paint }: Look): string => {
  if (failedTrial !== undefined)
    return `${paint.caution(`${printable(failedTrial.version)} failed its trial and was rolled back by itself`)}, ${printable(`${failedTrial.at}: ${failedTrial.reason}`)}`;
  if (trial === undefined) return '';
  if (trial.failed === undefined)
    return `on trial until ${printable(trial.until)}; if it fails, ${previous ?? 'the release before'} comes back by itself`;
  const failed = `${paint.bad(`${version} failed its trial`)}, ${printable(`${trial.failed.at}: ${trial.failed.reason}`)}.`;
  return `${failed} ${printable(trial.waits ?? 'It is being rolled back.')}`;
};

/** What a look at a release on trial has come to. */
export const lookedLines = (name: string, text: string, { columns }: Look): string[] =>
  paragraph(printable(`${name}: ${text}`), { indent: 2, columns });

const unfinishedText = ({ name, unfinished }: InstanceView): string => {
  if (unfinished === undefined) return '';
  const where = `${article(unfinished.kind)} at step "${unfinished.step}", ${unfinished.at}`;
  return unfinished.running ? `under way: ${where}` : `interrupted: ${where}. End it: assent recover ${name}`;
};

const article = (kind: string): string => `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;

/** Nothing keeps what is not installed any more. */
const supervisorText = ({ supervisor, name, version }: InstanceView): string => {
  if (version === null) return '';
  if (supervisor === 'systemd') return 'systemd';
  if (supervisor === 'process') return `assent itself, not after a reboot (then: assent start ${name})`;
  return supervisor === 'none' ? `nobody: run it with assent run ${name}` : '';
};

/** What people should know beside an answer. */
export const hintLines = (hints: readonly string[], { paint, columns }: Look): string[] =>
  hints.flatMap((hint) => wrap(printable(hint), columns - 2).map((line) => `  ${paint.faint(line)}`));
