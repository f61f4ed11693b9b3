import { defineConfig } from 'vitest/config';

// Two projects: `quick` is what the gate runs, `scenarios` drives the real command against real servers.
// Scenarios share the machine's ports and processors, so they run one file at a time.
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // More workers than processors: half of these tests wait for deadlines, disks and children.
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: ['test/scenarios/**'], maxWorkers: 4 },
      },
      {
        extends: true,
        test: {
          name: 'scenarios',
          include: ['test/scenarios/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
    globalSetup: ['test/support/built-program.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
