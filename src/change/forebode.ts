/** What an admin should know before saying yes to a plan: dangers, which have to be accepted by id, and warnings. */

import { join } from 'node:path';
import type { Product } from '../product/manifest.ts';
import type { DroppedSetting } from '../product/resolve-settings.ts';
import { type Risk, risksThatHold } from '../product/risks.ts';
import { listensWide } from '../product/template.ts';
import { compareVersions } from '../product/versions.ts';
import { shown } from '../product/wording.ts';
import { formatChanged } from './data-choice.ts';
import type { Danger, Warning } from './plan.ts';
import type { ChangeRequest, Ports } from './request.ts';
import type { Survey } from './survey.ts';
import type { Target } from './target.ts';

export const dangersOf = (ports: Ports, request: ChangeRequest, target: Target, found: Survey): Danger[] => {
  const { kind, paths, product } = target;
  const dangers: Danger[] = [...(found.configuration?.dangers ?? [])];
  if (kind !== 'uninstall') dangers.push(...declared(product, product.dangers, found));
  if (request.purge === true) {
    dangers.push({
      id: 'purge-data',
      message: `Everything of ${paths.name} is deleted: data, configuration, secrets, backups, logs and the consent log.`,
      remedy: 'Nothing brings it back. Without --purge all of it is kept.',
    });
  }
  if (found.data?.from === 'now' && formatChanged(ports, target)) dangers.push(...unreadable(target));
  return dangers;
};

/** Data of another format in the hands of a release that may not know it. A newer one brings older data along: that is an upgrade. */
const unreadable = ({ kind, paths, before, to, manifest, product }: Target): Danger[] => {
  const of = before?.release.version;
  if (kind === 'rollback') {
    return [
      {
        id: 'data-format',
        message: `The data of now is in the format of ${of}, which ${to.version} may not read.`,
        remedy: 'Leave --data out: then the data of then is taken.',
      },
    ];
  }
  if (kind !== 'install' || of === undefined || compareVersions(to.version, of) >= 0) return [];
  return [
    {
      id: 'data-format',
      message: `The data that was kept is in the format of ${of}, which ${to.version} may not read.`,
      remedy: `To go on with it: assent install ${manifest ?? product.name}@${of} --name ${paths.name}. Accepting gives ${to.version} a copy, and keeps the data as it is under ${paths.backups} for 30 days.`,
    },
  ];
};

export const warningsOf = (ports: Ports, target: Target, found: Survey): Warning[] => [
  ...(found.configuration?.warnings ?? []),
  ...found.dropped.map((setting) => settingDropped(target, found, setting)),
  ...untriedWarnings(target, found),
  ...dataWarnings(ports, target, found),
  ...supervisorWarnings(target, found),
  ...wideWarnings(target, found),
  ...(target.kind === 'uninstall' ? [] : declared(target.product, target.product.warnings, found)),
  ...notesOf(target).map((message) => ({ id: 'release-note', message, remedy: '' })),
];

/** What is to be read before a release comes; whoever has it already has read it. */
const notesOf = ({ kind, release, before }: Target): readonly string[] => {
  const isThere = before?.installed === true && before.release.version === release.version;
  return kind === 'uninstall' || isThere ? [] : (release.notes ?? []);
};

/** A setting of the installation before, in whose place another value comes, or none. */
const settingDropped = ({ product, to }: Target, { settings }: Survey, { name, why }: DroppedSetting): Warning => {
  const now = product.settings.find((setting) => setting.name === name);
  const value = settings[name] === undefined ? '' : `, and becomes ${shown(String(settings[name]))}`;
  return {
    id: 'setting-dropped',
    message: `The setting ${name} is not taken over to ${product.title} ${to.version}: ${why}${value}.`,
    remedy:
      now === undefined
        ? 'Nothing to do, unless something of yours relies on it.'
        : `To choose it yourself: --set ${name}=${now.type === 'secret' ? '@file:PATH' : 'VALUE'}.`,
  };
};

/** Only a restart shows whether the server runs with them: before, the change; or, where that fails, its undo. */
const untriedWarnings = ({ kind, paths }: Target, { untried }: Survey): Warning[] => {
  if (kind === 'uninstall' || untried.length === 0) return [];
  return [
    {
      id: 'config-untried',
      message: `${untried.map((file) => join(paths.config, file)).join(', ')} was changed after the server had been started, which has not yet run with it.`,
      remedy: `If it can't, this change is undone, and the server of before is not healthy either. To see that first: assent restart ${paths.name}`,
    },
  ];
};

/** What the manifest says of these settings. */
const declared = (product: Product, risks: readonly Risk[] | undefined, { settings }: Survey): Danger[] =>
  risksThatHold(product, risks, settings).map(({ id, message, remedy }) => ({ id, message, remedy }));

/** Which hours of data a rollback leaves behind. */
const dataWarnings = ({ world }: Ports, { restore, paths, before }: Target, found: Survey): Warning[] => {
  if (restore === null || found.data === null) return [];
  const hours = (world.now().getTime() - Date.parse(restore.at)) / 3_600_000;
  const minutes = Math.max(1, Math.round(hours * 60));
  const since = hours >= 1 ? `${hours.toFixed(1)} hours` : minutes === 1 ? 'minute' : `${minutes} minutes`;
  const writer = before?.release.version ?? 'the server';
  if (found.data.from === 'now') {
    return [
      {
        id: 'data-of-now',
        message: `The data of now is taken along, so nothing is lost. The data of then would lose what ${writer} wrote in the last ${since} (since ${restore.at}).`,
        remedy: 'To take that instead: --data then.',
      },
    ];
  }
  return [
    {
      id: 'data-of-then',
      message: `What ${writer} wrote in the last ${since} (since ${restore.at}) is not in the data of then.`,
      remedy: `It is kept under ${paths.backups} for 30 days. To take it along instead: --data now.`,
    },
  ];
};

const supervisorWarnings = ({ from, kind }: Target, found: Survey): Warning[] => {
  if (kind === 'uninstall' || from !== null || found.supervisor !== 'process') return [];
  return [
    {
      id: 'no-boot-start',
      message:
        'systemd is not running here: the server is kept running by a process of its own, and does not come back after a reboot.',
      remedy: 'Run "assent start" after a reboot, or "assent run NAME" below your own init.',
    },
  ];
};

const wideWarnings = ({ kind, product }: Target, found: Survey): Warning[] => {
  const wide = kind !== 'uninstall' && listensWide(product, found.settings);
  return wide
    ? [
        {
          id: 'listens-wide',
          message: 'The server will be reachable from other machines.',
          remedy: 'To keep it to this one: --set listen=127.0.0.1.',
        },
      ]
    : [];
};
