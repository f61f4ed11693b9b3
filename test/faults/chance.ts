/** Chance that can be repeated: the same seed and name give the same numbers, whatever ran before. */

import { createHash } from 'node:crypto';

export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  readonly whole: (below: number) => number;
  /** One of them; throws where there is none. */
  readonly one: <T>(things: readonly T[]) => T;
  /** That many of them (all, where there are not more), in their order. */
  readonly some: <T>(things: readonly T[], count: number) => T[];
}

export const chanceOf = (seed: number, name: string): Chance => {
  let drawn = 0;
  const whole = (below: number): number => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${name} ${drawn}`).digest().readUIntBE(0, 6) % below;
  };
  const one = <T>(things: readonly T[]): T => {
    const thing = things[whole(things.length)];
    if (thing === undefined) throw new Error('There is nothing to choose from');
    return thing;
  };
  const some = <T>(things: readonly T[], count: number): T[] => {
    const left = things.map((_, index) => index);
    const chosen = new Set<number>();
    while (chosen.size < count && left.length > 0) for (const at of left.splice(whole(left.length), 1)) chosen.add(at);
    return things.filter((_, index) => chosen.has(index));
  };
  return { whole, one, some };
};
