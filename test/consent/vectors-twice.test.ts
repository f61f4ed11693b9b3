/** The cases in which a change is undone or interrupted, once more with every operation said twice, as recovery does. */
import { expect, test } from 'vitest';
import { cases, playCase } from './play.ts';

const repeatable = cases.filter(({ events }) => events.some(({ ends }) => ends === 'undone' || ends === 'interrupted'));

test('there are some', () => expect(repeatable.length).toBeGreaterThan(30));

test.each(repeatable.map((one) => [one.name, one] as const))('said twice: %s', async (_, one) => playCase(one, true));
