/**
 * Writes the true numbers of a test run to the file that ASSENT_TALLY names, as the line that `npm test` ends with, and
 * prints why each skipped test was skipped.
 *
 * What vitest counts apart from tests is a failure too: a file that can't be loaded, a hook that throws, an error that nobody awaited.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        // A test that was never reached (its hook threw) is pending: the hook's error is counted already.
        if (result.state !== 'pending') counts[result.state]++;
        if (result.state === 'skipped') console.log(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`);
      }
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    writeFileSync(
      process.env.ASSENT_TALLY ?? '/dev/null',
      `${counts.passed} passed, ${counts.failed} failed${skipped}\n`,
    );
  }
}
