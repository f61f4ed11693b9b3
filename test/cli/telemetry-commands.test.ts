/** The commands about telemetry, each over real files and in this process: what they tell, and that they tell the same. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { run as receipt } from '../../src/cli/commands/telemetry-receipt.ts';
import { run as status } from '../../src/cli/commands/telemetry-status.ts';
import { type Flags, flagsOf } from '../../src/cli/flags.ts';
import type { Run } from '../../src/cli/invocation.ts';
import { writeRecord } from '../../src/service/process-record.ts';
import { identify } from '../../src/system/processes.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { homeWith } from '../consent/homes.ts';
import { type Home, sure } from '../consent/support.ts';

let home: Home;
beforeEach(async () => {
  home = await homeWith('yes');
});

const told = async (command: Run, flags: Partial<Flags> = {}) => {
  const look = { paint: noPaint, symbols: symbolsFor({ LANG: 'C.UTF-8' }), columns: 100 };
  const ended = await command({
    world: home.world,
    home: home.folder,
    flags: flagsOf({ home: home.folder, ...flags }),
    operands: [home.paths.name],
    look,
    say: () => {},
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests look at any key of the document
  return { ...ended, document: ended.result as any };
};

/** A process with that in its environment, on record as the server of a foreground run. */
const runServer = (env: Record<string, string>): void => {
  const child = spawn('/bin/sleep', ['60'], { env, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  mkdirSync(home.paths.run, { recursive: true });
  const identity = sure(identify(sure(child.pid)));
  const about = { generation: 1, digest: '0123456789ab', restarts: 0, lastExit: null };
  writeRecord(home.paths, { format: 1, supervisor: identity, child: identity, phase: 'running', ...about });
};

it("a receipt says the same as the status under a veto of the server's own", async () => {
  runServer({ DO_NOT_TRACK: '1' });
  const { consent } = (await told(status)).document;
  expect(consent).toMatchObject({ collecting: false, reason: 'do-not-track' });
  const { decision, meaning } = (await told(receipt)).document.receipt;
  expect({ ...decision, meaning }).toMatchObject({
    collecting: false,
    reason: 'do-not-track',
    meaning: consent.meaning,
  });
});
