/**
 * The last screen of a change: what is running now, the addresses, where the password is, how telemetry stands, and what to type next.
 */

import type { ChangeResult } from '../../change/request.ts';
import { installLine, purgeLine } from '../../instance/kept.ts';
import { printable, wrap } from '../layout.ts';
import type { Look } from '../look.ts';
import type { InstanceView } from '../result.ts';
import { detailLines, rowOf } from './instance.ts';

export const changedLines = (changed: ChangeResult, instance: InstanceView | undefined, look: Look): string[] => {
  const row = rowOf(look);
  const headline = headlineOf(changed, instance);
  return [
    '',
    ...wrap(printable(headline), look.columns - 2).map((line) => `  ${look.paint.strong(line)}`),
    ...(instance === undefined ? [] : detailLines(instance, look)),
    ...changed.setAside.flatMap((folder) =>
      row('set aside', printable(`${folder}: written meanwhile, kept for 30 days`)),
    ),
    ...row(
      'downtime',
      changed.downtimeSeconds === null || !changed.changed
        ? ''
        : `${changed.downtimeSeconds.toFixed(1)} s without an answer`,
    ),
    ...row('next', printable(nextOf(changed, instance, look))),
  ];
};

const headlineOf = ({ outcome, plan, state }: ChangeResult, instance: InstanceView | undefined): string => {
  const what = instance === undefined ? (plan?.title ?? 'It') : `${instance.title} ${instance.version ?? ''}`.trim();
  if (outcome === 'planned') return 'Nothing was changed: this was the plan only.';
  if (outcome === 'uninstalled') return `${what} is uninstalled.`;
  if (state?.installed !== true) return `${what} is not installed.`;
  const running = instance?.state === 'running';
  const how = running ? `is running${instance.health === 'healthy' ? ' and healthy' : ''}` : 'is installed and stopped';
  return outcome === 'unchanged' ? `Nothing to do: ${what} ${how}.` : `${what} ${how}.`;
};

const nextOf = ({ outcome, state }: ChangeResult, instance: InstanceView | undefined, { symbols }: Look): string => {
  if (outcome === 'planned') return 'the same command without --dry-run';
  if (outcome === 'uninstalled' || state?.installed !== true)
    return state === null
      ? 'nothing of it is left; assent install begins anew'
      : `${installLine(state)} brings it back with what was kept; ${purgeLine(state)} deletes that, too`;
  if (instance === undefined) return '';
  const start = instance.supervisor === 'none' ? `assent run ${instance.name}` : 'assent start';
  if (instance.state !== 'running') return [start, 'assent status'].join(` ${symbols.dot} `);
  return ['assent status', 'assent logs', instance.previous === null ? 'assent upgrade' : 'assent rollback'].join(
    ` ${symbols.dot} `,
  );
};
