/** A recipient that reads a report and says that it takes nothing now: the bytes have left, so there is a trace of it, and the report waits all the same. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/cli/commands/telemetry-send.ts';
import { flagsOf } from '../../src/cli/flags.ts';
import { telemetryOf } from '../../src/cli/telemetry-view.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { Failure } from '../../src/errors.ts';
import { realPreview } from '../../src/telemetry/preview.ts';
import { lastReports } from '../../src/telemetry/sent.ts';
import { markAttempt, takeOut } from '../../src/telemetry/spool.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { failureLines } from '../../src/ui/views/failure.ts';
import { telemetryLines } from '../../src/ui/views/telemetry.ts';
import { receiver } from '../support/receiver.ts';
import { freePort } from '../support/sandbox.ts';
import { outcomeOf, type Sender, sender } from './sender.ts';

const report = { name: 'report-2026-11-16_2026-11-16', from: '2026-11-16', to: '2026-11-16' };
const files = [`${report.name}.json`, `${report.name}.outcome.json`];
const look = { paint: noPaint, symbols: symbolsFor({}), columns: 300 };

/** Answers with that status until it is told otherwise. */
const recipient = async (first: number) => {
  let status = first;
  const made = await receiver((response) => void response.writeHead(status).end());
  return { ...made, answers: (next: number) => (status = next) };
};
const refused = async (status = 503): Promise<Sender> => {
  const one = await sender({ endpoint: (await recipient(status)).url });
  one.count('2026-11-16');
  await one.send();
  return one;
};
const statusOf = ({ world, paths }: Sender): string => {
  const { instance, consent } = telemetryOf(world, paths.home, paths.name);
  return telemetryLines(instance, consent, look).join('\n');
};

test.each([429, 503])('a copy of what left is kept with its outcome, also behind a withdrawal: %d', async (status) => {
  const { url, received } = await recipient(status);
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { trouble, sent, waiting } = await one.send();
  expect({ sent, waiting }).toEqual({ sent: [], waiting: 1 });
  expect(trouble).toMatchObject({ refused: { ...report, outcome: 'refused', status } });
  await withdraw(one.world, one.paths);
  expect(one.names('reports')).toEqual(files);
  expect(readFileSync(join(one.paths.reports, `${report.name}.json`)).equals(received[0]!.body)).toBe(true);
  expect(outcomeOf(one, report.name)).toMatchObject({ outcome: 'refused', status, endpoint: url });
  expect(statusOf(one)).toContain('2026-11-25T12:00:00.000Z: a report was sent, and the recipient took nothing of it');
});

test('nothing is kept of a report that never left', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/` });
  one.count('2026-11-16');
  expect((await one.send()).trouble).toMatchObject({ refused: null });
  expect(one.names('reports')).toEqual([]);
  expect(statusOf(one)).toMatch(/last report +never: no report was ever sent\n(?! +refused)/);
});

test('attempts pile up no copies, and the one that is taken writes over them', async () => {
  const { url, received, answers } = await recipient(503);
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  await one.send();
  one.at('2026-11-25T18:00:00.000Z');
  await one.send();
  expect(one.names('reports')).toEqual(files);
  expect(lastReports(one.paths)).toEqual({ left: null, refused: '2026-11-25T18:00:00.000Z' });
  expect(statusOf(one)).toMatch(/last report +never: no report was ever taken\n/);
  answers(200);
  expect((await one.send()).sent).toMatchObject([{ ...report, outcome: 'sent' }]);
  expect(received).toHaveLength(3);
  expect(one.names('reports')).toEqual(files);
  expect(outcomeOf(one, report.name)).toMatchObject({ outcome: 'sent' });
  expect(lastReports(one.paths)).toEqual({ left: '2026-11-25T18:00:00.000Z', refused: null });
});

test('its days are not told yet: they can still be reported and previewed', async () => {
  const one = await refused();
  takeOut(one.paths, report);
  one.count('2026-11-16');
  const { paths, notice, world } = one;
  const about = { notice, version: '2.2.1', uid: process.getuid!(), now: world.now() };
  expect(realPreview(paths, about)).toMatchObject({ report: { from: '2026-11-16' }, aside: { never: 0 } });
  expect((await one.send()).trouble).toMatchObject({ refused: report });
});

test('a retry that was killed before it knew counts as sent, whatever became of the attempt before', async () => {
  const one = await refused();
  markAttempt(one.paths, report, one.world.now());
  expect((await one.send()).sent).toMatchObject([{ ...report, outcome: 'uncertain' }]);
  expect(outcomeOf(one, report.name)).toMatchObject({ outcome: 'uncertain' });
  expect(one.names('spool')).toEqual(['schedule.json']);
});

test('the command says that bytes were sent, where their copy is, and that they wait', async () => {
  const one = await sender({ endpoint: (await recipient(503)).url });
  one.count('2026-11-16');
  const { result, failure } = await run({
    world: one.world,
    home: dirname(dirname(one.paths.folder)),
    flags: flagsOf({}),
    operands: ['mail'],
    look,
    say: () => {},
  });
  const text = failureLines(failure, look, false).join('\n').replace(/\s+/g, ' ');
  expect(failure).toBeInstanceOf(Failure);
  expect(text).toMatch(/\d+ bytes were sent to Example .* nothing of them was taken: .*503/);
  expect(text).toContain(`reports/${report.name}.json`);
  expect(text).not.toMatch(/Nothing was/);
  expect(result).toMatchObject({ changed: true, waiting: 1, refused: { outcome: 'refused', status: 503 } });
});
