import { defineConfig } from 'vitest/config';

/**
 * Four projects. `quick` is what the gate runs: every test that is in none of the others. `scenarios` and `alone` drive the real command
 * against real servers. `slow` is this list: files that take more than five seconds by themselves, for they start processes by the dozen, build, or
 * fetch from registries. A file that becomes slow is added here, by its path below test/; one that becomes quick is taken out.
 */
const slow = [
  'bin/**',
  'cli/{failed-behind-no,not-permitted,telemetry-off,telemetry-signals,usage}',
  'consent/{decide,history,log,restored,withdraw}',
  'release/{lock-product,runtime,store}',
  'scripts/{build,tally-reporter}',
  'service/{health,own-telemetry,process,run,start-twice}',
  'source/{deb-fetch,fetch,npm}',
  'system/{files,lock,processes,tree}',
  'telemetry/{killed,send-outcomes,counting/recorder}',
  'telemetry/follow/**',
  'ui/renderings',
].map((place) => (place.endsWith('**') ? `test/${place}/*.test.ts` : `test/${place}.test.ts`));

/** Scenarios that look at how numbers for system users of the machine are handed out, of which there is one list; and one that must not miss what is there for a moment. */
const alone = ['rehearsal', 'root', 'root-accounts'].map((name) => `test/scenarios/${name}.test.ts`);

const scenarios = ['test/scenarios/**/*.test.ts'];
const patience = { testTimeout: 300_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // Without a process for each file, which would take longer than the tests: these leave nothing behind in the modules they load.
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: [...slow, ...scenarios], isolate: false },
      },
      {
        extends: true,
        test: { name: 'slow', include: slow, testTimeout: 120_000, hookTimeout: 120_000, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        // Behind the quick ones and with the slow ones, four files at a time: whoever waits for a server to become healthy, and to stay so, leaves the processors to others.
        test: {
          name: 'scenarios',
          include: scenarios,
          exclude: alone,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          ...patience,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 2 }, ...patience },
      },
    ],
    globalSetup: ['test/support/built-program.ts'],
    pool: 'forks',
    // More workers than processors: half of these tests wait for deadlines, disks and children.
    maxWorkers: 4,
    // No test asserts how quick anything is: these end what hangs, on a machine that is busy, too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    passWithNoTests: true,
  },
});
