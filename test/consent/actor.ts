/**
 * A process that does one thing to consent, for tests with several processes: `node actor.ts HOME WHAT [COUNT]`. Run by Node itself, which strips types.
 */
import { readFileSync } from 'node:fs';
import { type Raise, recordAnswer } from '../../src/consent/decide.ts';
import { consentOf, mayCount } from '../../src/consent/gather.ts';
import { withdraw as tried } from '../../src/consent/withdraw.ts';
import { conduct, makeHome, testWorld } from './support.ts';

const [home = '', what = '', count = '1'] = process.argv.slice(2);
const at = makeHome(home, { world: testWorld({ env: process.env }) });

const withdraw = async () => {
  const { failure, ...done } = await tried(at.world, at.paths);
  if (failure !== null) throw failure;
  return done;
};

const acts: Record<string, () => Promise<unknown> | unknown> = {
  answer: () => {
    const { raise } = JSON.parse(readFileSync(at.paths.openJournal, 'utf8').slice(17)) as { raise: Raise };
    return recordAnswer(at.world, at.paths, raise);
  },
  withdraw,
  status: () => consentOf(at.world, at.paths),
  count: () => mayCount(at.world, at.paths),
  churn: async () => {
    for (let round = 0; round < Number(count); round += 1) {
      await conduct(at, { change: 'upgrade', ends: 'undone', answer: { by: 'prompt', say: 'yes' } });
      await withdraw();
    }
  },
};

try {
  process.stdout.write(`${JSON.stringify((await acts[what]?.()) ?? null)}\n`);
} catch (error) {
  const { code, message, exit } = error as { code?: string; message: string; exit?: number };
  process.stdout.write(`${JSON.stringify({ failed: code ?? null, message, exit })}\n`);
}
