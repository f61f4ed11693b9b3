/**
 * `assent status [NAME]`: what is installed, its health, its consent. Without NAME, a table of all; the system's home is looked into, too.
 * Exit 0 also for a server that is down: it is a question, not a check (`doctor` is one).
 */

import { hintLines, instanceLines, tableLines } from '../../ui/views/instance.ts';
import { viewAll } from '../all-instances.ts';
import { viewOf } from '../instance-view.ts';
import type { Run } from '../invocation.ts';
import { pickToRead } from '../reading.ts';

export const run: Run = async ({ world, home, flags, operands, look }) => {
  if (operands[0] !== undefined) {
    const found = await pickToRead(world, home, flags, operands[0]);
    const instance = await viewOf(world, found.home, found.name);
    const consent = instance.consent === undefined ? {} : { consent: instance.consent };
    return {
      result: { outcome: 'unchanged', changed: false, instance, ...consent },
      screen: instanceLines(instance, look),
    };
  }
  const { instances, hints } = await viewAll(world, home, flags);
  const [only, ...others] = instances;
  const single = only !== undefined && others.length === 0;
  return {
    result: {
      outcome: 'unchanged',
      changed: false,
      instances,
      ...(single ? { instance: only } : {}),
      ...(hints.length > 0 ? { hints } : {}),
    },
    screen: [
      ...(only === undefined ? nothing(home) : single ? instanceLines(only, look) : tableLines(instances, look)),
      ...hintLines(hints, look),
    ],
  };
};

const nothing = (home: string): string[] => [
  `  Nothing is installed in ${home}.`,
  '  Install something: assent install. Products: assent products.',
];
