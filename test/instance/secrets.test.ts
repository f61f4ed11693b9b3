import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { instancePaths } from '../../src/instance/paths.ts';
import { readSecrets, secretNames } from '../../src/instance/secrets.ts';
import type { InstanceName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';

const withSecret = (bytes: string | Buffer) => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  mkdirSync(paths.secrets, { recursive: true });
  writeFileSync(join(paths.secrets, 'password'), bytes);
  return paths;
};

it('reads a secret with its newline or without', () => {
  for (const text of ['open sesame\n', 'open sesame']) {
    expect(readSecrets(withSecret(text))).toEqual({ password: 'open sesame' });
  }
});

it.each([
  ['empty', ''],
  ['one newline', '\n'],
  ['zeros', Buffer.alloc(12)],
  ['two in one', 'open sesame\nopen sesame\n'],
])('does not take a damaged secret for one: %s', (_, bytes) => {
  const paths = withSecret(bytes);
  expect(() => readSecrets(paths)).toThrow(expect.objectContaining({ code: 'refused-state-damaged' }));
  expect(secretNames(paths), 'it is no absent one').toEqual(['password']);
});
