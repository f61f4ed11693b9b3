/**
 * `assent doctor [NAME]`: every check that can be made now. Exit 3 where something is to be mended. With `--drill` the rollback that it speaks of is tried, too,
 * on a copy: what comes of it is one more finding, or a note.
 */
import type { Drill } from '../../change/doctor/drill.ts';
import type { Examination } from '../../change/doctor/examine.ts';
import type { Finding } from '../../change/doctor/finding.ts';
import { Failure } from '../../errors.ts';
import { instancePaths } from '../../instance/paths.ts';
import { onEndingSignal } from '../../system/signals.ts';
import { doctorLines } from '../../ui/views/doctor.ts';
import { hintLines } from '../../ui/views/instance.ts';
import type { InstanceName } from '../../values.ts';
import type { Invocation, Run } from '../invocation.ts';
import { pickOwn, systemHint } from '../reading.ts';

export const run: Run = async (invocation) => {
  const { world, home, operands, flags, look } = invocation;
  const { examine } = await import('../../change/doctor/examine.ts');
  const [given] = operands;
  const name = given === undefined && !flags.drill ? undefined : await pickOwn(world, home, flags, given);
  const drilled = flags.drill && name !== undefined ? await drillOf(invocation, name) : undefined;
  const examined = await examine(world, home, name);
  const { findings, checks } = drilled === undefined ? examined : withDrill(examined, drilled, name as InstanceName);
  const hint = name === undefined ? systemHint(world, home, flags) : undefined;
  const toMend = findings.filter(({ level }) => level !== 'note');
  const failure = new Failure(
    'refused-findings',
    `${toMend.length === 1 ? 'One thing is' : `${toMend.length} things are`} to be mended: ${[...new Set(toMend.map(({ id }) => id))].join(', ')}.`,
    'What to do stands beside each. Nothing was changed.',
  );
  return {
    result: {
      outcome: 'unchanged',
      changed: false,
      findings: toMend,
      notes: findings.filter(({ level }) => level === 'note'),
      checks,
      ...(drilled === undefined ? {} : { drill: drilled }),
      ...(hint === undefined ? {} : { hints: [hint] }),
    },
    screen: [...doctorLines(findings, checks, look), ...hintLines(hint === undefined ? [] : [hint], look)],
    ...(toMend.length === 0 ? {} : { failure }),
  };
};

const drillOf = async ({ world, home, flags, look, say }: Invocation, name: InstanceName): Promise<Drill> => {
  const { drill } = await import('../../change/doctor/drill.ts');
  const stopping = new AbortController();
  const off = onEndingSignal(() => stopping.abort());
  if (!flags.quiet) say([`  ${look.symbols.dot} trying a rollback on a copy of ${name} ...`]);
  try {
    return await drill(world, instancePaths(home, name), stopping.signal);
  } finally {
    off();
  }
};

const withDrill = ({ findings, checks }: Examination, drilled: Drill, name: InstanceName): Examination => ({
  findings: [...findings.filter(({ id }) => id !== 'rollback'), findingOf(drilled, name)],
  checks: checks + 1,
});

const findingOf = ({ version, at, healthy, reason, log, seconds }: Drill, instance: InstanceName): Finding => {
  const of = `${version}, with the data of then (${at})`;
  if (healthy)
    return {
      id: 'drill',
      instance,
      level: 'note',
      message: `A rollback to ${of}, was tried on a copy: it was healthy. Laid out, started and watched in ${seconds} s.`,
      remedy: 'The running server was not touched, and the copy is gone.',
    };
  const said = log === '' ? '' : ` The end of its log: ${log}`;
  return {
    id: 'drill',
    instance,
    level: 'problem',
    message: `A rollback to ${of}, was tried on a copy, and would fail: ${reason ?? 'it is not healthy'} (${seconds} s).${said}`,
    remedy: `The running server was not touched. Mend the cause, or rely on no rollback; before an upgrade make a backup of ${instance} by hand.`,
  };
};
