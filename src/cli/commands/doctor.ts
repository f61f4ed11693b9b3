/** `assent doctor [NAME]`: every check that can be made now. Exit 3 where something is to be mended. */
import { Failure } from '../../errors.ts';
import { pickInstance } from '../../instance/find.ts';
import { doctorLines } from '../../ui/views/doctor.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, home, operands, look }) => {
  const { examine } = await import('../../change/doctor/examine.ts');
  const [given] = operands;
  const { findings, checks } = await examine(
    world,
    home,
    given === undefined ? undefined : await pickInstance(home, given),
  );
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
    },
    screen: doctorLines(findings, checks, look),
    ...(toMend.length === 0 ? {} : { failure }),
  };
};
