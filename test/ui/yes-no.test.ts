/** What keys mean at a question: what is typed is a yes only if nothing else was typed with it. */
import { expect, it } from 'vitest';
import { answerOf, type Typed, typedAfter } from '../../src/ui/yes-no.ts';

const nothing: Typed = { word: '', stray: false };
const typed = (keys: string): Typed => [...keys].reduce((at, key) => typedAfter(at, at.word + key), nothing);
const answer = (keys: string, standard = false) => answerOf(typed(keys), standard);

it.each(['y', 'Y', 'yes', 'YES'])('%s is a yes', (keys) => expect(answer(keys)).toBe(true));
it.each(['n', 'NO', 'yn', 'yesno', 'xn', 'nx'])('%s is a no', (keys) => expect(answer(keys, true)).toBe(false));
it.each(['ye'])('%s is no answer yet', (keys) => expect(answer(keys)).toBeUndefined());

it.each(['systemctl restart maildev', 'apt-get -y', 'yarn start', 'xyes', 'y '])('a pasted "%s" is no yes', (keys) =>
  expect(answer(keys)).not.toBe(true),
);

it('stray keys alone are the default only where it is a no', () => {
  expect(answer('x', false)).toBe(false);
  expect(answer('x', true)).toBeUndefined();
  expect(answer('', true)).toBe(true);
});
