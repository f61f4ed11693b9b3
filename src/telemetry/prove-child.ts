/**
 * The program that the proof runs inside of its namespaces (prove/run-inside.ts): an order as JSON on standard input, a report or an error as
 * JSON on standard output.
 */

import { Failure, messageOf } from '../errors.ts';
import { readInput } from '../system/own-process.ts';
import { write } from '../system/terminal.ts';
import { realWorld } from '../system/world.ts';
import { type RunOrder, type RunReport, runInside } from './prove/run-inside.ts';

export type ChildAnswer = { readonly report: RunReport } | { readonly error: { message: string; advice: string } };

const main = async (): Promise<ChildAnswer> => {
  try {
    const order = JSON.parse(readInput()) as RunOrder;
    return { report: await runInside(realWorld(), order) };
  } catch (error) {
    return { error: { message: messageOf(error), advice: error instanceof Failure ? error.advice : '' } };
  }
};

write('out', `${JSON.stringify(await main())}\n`);
process.exit(0);
