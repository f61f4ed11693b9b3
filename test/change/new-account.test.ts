/** The name of the user as whom an instance's server runs. */
import { expect, test } from 'vitest';
import { userNameFor } from '../../src/change/new-account.ts';
import { asInstanceName, type InstanceName } from '../../src/values.ts';

const nameOf = (text: string): InstanceName => {
  const name = asInstanceName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
};

test('is its own, where that is short enough', () => {
  expect(userNameFor(nameOf('mail'))).toBe('assent-mail');
  expect(userNameFor(nameOf('a'.repeat(25)))).toBe(`assent-${'a'.repeat(25)}`);
});

test("is no other instance's, however alike their names begin", () => {
  const alike = ['1', '2', '12', '-archive'].map((end) => nameOf(`customer-mail-production${end}`));
  const names = [...alike, nameOf('a'.repeat(26)), nameOf('a'.repeat(32))].map(userNameFor);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^assent-[a-z0-9_-]{1,25}$/);
  expect(userNameFor(nameOf('a'.repeat(32)))).toMatch(/^assent-a{15}_[0-9a-f]{8}$/);
});
