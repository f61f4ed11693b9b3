import { defineConfig } from 'vitest/config';

/**
 * Three projects. `quick` is what the gate runs: every test that is neither of the two others. `scenarios` drives the real command against
 * real servers. `slow` is this list: files that take more than five seconds by themselves, for they start processes by the dozen, build, or
 * fetch from registries. A file that becomes slow is added here, by its path below test/; one that becomes quick is taken out.
 */
const slow = [
  'bin/**',
  'cli/usage',
  'consent/{decide,history,log,withdraw}',
  'release/{runtime,store}',
  'scripts/{build,tally-reporter}',
  'service/{health,own-telemetry,process,run}',
  'source/{fetch,npm}',
  'system/{files,lock,processes,tree}',
  'telemetry/{killed,send,counting/recorder}',
  'telemetry/follow/**',
  'ui/renderings',
].map((place) => (place.endsWith('**') ? `test/${place}/*.test.ts` : `test/${place}.test.ts`));

const scenarios = ['test/scenarios/**/*.test.ts'];

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
        test: { name: 'slow', include: slow },
      },
      {
        extends: true,
        // Scenarios share the machine's ports and processors, so they run one file at a time.
        test: {
          name: 'scenarios',
          include: scenarios,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
    globalSetup: ['test/support/built-program.ts'],
    pool: 'forks',
    // More workers than processors: half of these tests wait for deadlines, disks and children.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
