/** What a change tells behind its end: a success stays one where its instance can't be read any more, and a failure before anything changed stays a failure. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { resultOf } from '../../src/change/conduct.ts';
import type { Ports } from '../../src/change/request.ts';
import { withPorts } from '../../src/cli/change.ts';
import { flagsOf } from '../../src/cli/flags.ts';
import type { Invocation } from '../../src/cli/invocation.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { conduct, type Home, inMemory, makeHome, testWorld } from '../consent/support.ts';
import { sandbox } from '../support/sandbox.ts';

let home: Home;
let invocation: Invocation;

beforeEach(async () => {
  const folder = sandbox(inMemory);
  home = makeHome(join(folder, 'home'));
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'flag', say: 'no' } });
  invocation = {
    world: testWorld({ cwd: folder }),
    home: home.folder,
    flags: flagsOf({ json: true }),
    operands: [],
    look: { paint: noPaint, symbols: symbolsFor({}), columns: 80 },
    say: () => {},
  };
});

/** A change that ends, and whose instance something damages before it is looked at. */
const endsAndIsDamaged = (changed: boolean) => async (ports: Ports) => {
  const outcome = changed ? 'upgraded' : 'unchanged';
  const result = resultOf(ports, home.paths, { outcome, changed, plan: null, setAside: [], downtimeSeconds: null });
  appendFileSync(home.paths.state, 'torn');
  return result;
};

it('an instance that can not be read behind a change is a warning of its success', async () => {
  const { result, failure } = await withPorts(invocation, true, endsAndIsDamaged(true));
  expect(failure).toBeUndefined();
  expect(result).toMatchObject({ outcome: 'upgraded', changed: true });
  expect(result.instance).toBeUndefined();
  expect(result.warnings).toEqual([
    expect.objectContaining({ id: 'state-unread', remedy: expect.stringContaining('Everything is done') }),
  ]);
});

it('where nothing was changed it is the failure that it is', async () => {
  await expect(withPorts(invocation, true, endsAndIsDamaged(false))).rejects.toMatchObject({
    code: 'refused-state-damaged',
  });
});
