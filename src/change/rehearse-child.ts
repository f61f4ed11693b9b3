/**
 * The program that a rehearsal runs inside of its namespaces (inside.ts): an order as JSON on standard input, a report or an error as JSON on
 * standard output. Its end is the end of the server that it runs.
 */

import { messageOf } from '../errors.ts';
import { readInput } from '../system/own-process.ts';
import { write } from '../system/terminal.ts';
import { realWorld } from '../system/world.ts';
import { type RehearsalAnswer, type RehearsalOrder, rehearseInside } from './rehearsal/inside.ts';

const main = async (): Promise<RehearsalAnswer> => {
  try {
    return { report: await rehearseInside(realWorld(), JSON.parse(readInput()) as RehearsalOrder) };
  } catch (error) {
    return { error: messageOf(error) };
  }
};

write('out', `${JSON.stringify(await main())}\n`);
process.exit(0);
