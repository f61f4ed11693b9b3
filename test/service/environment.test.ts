/** Environment files mean the same to us as to systemd (its own reading is held against this one in test/scenarios/systemd.test.ts). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentOfService, parseEnvironmentFile } from '../../src/service/environment.ts';
import { environmentFileSample } from '../support/environment-file.ts';
import { testService } from '../support/service.ts';

test('reads what systemd reads', () => {
  expect(parseEnvironmentFile(environmentFileSample.text)).toEqual(environmentFileSample.pairs);
});

test('an empty file and one without pairs give nothing', () => {
  expect(parseEnvironmentFile('')).toEqual({});
  expect(parseEnvironmentFile('# A=1\n\nno pair here\n=x\n1A=2\n')).toEqual({});
});

test('the file comes over the spec, the spec over what a foreground run passes on', async () => {
  const { with: change, paths } = await testService();
  const environmentFile = join(paths.config, 'server.env');
  const spec = change({ environmentFile, environment: { A: 'spec', B: 'spec' } });
  writeFileSync(environmentFile, 'A=file\nTOKEN="a b"\n');
  expect(environmentOfService(spec, { A: 'extra', B: 'extra', TZ: 'UTC' })).toEqual({
    A: 'file',
    B: 'spec',
    TZ: 'UTC',
    TOKEN: 'a b',
  });
});

test('a missing file is a failure that names it', async () => {
  const { with: change, paths } = await testService();
  const environmentFile = join(paths.config, 'server.env');
  expect(() => environmentOfService(change({ environmentFile }))).toThrow(environmentFile);
});
