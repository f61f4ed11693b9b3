/** The machine's real Chromium, without a head and without anything that it would do on its own, in a profile that is new each time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { isRoot, makeSandbox, removeSandbox } from './sandbox.ts';

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Why tests with a browser can't run here; in CI they have to. */
export const noChromium =
  program === undefined && !process.env.CI ? 'there is no chromium (apt-get install chromium)' : undefined;

/** A browser that is closed, and its profile removed, when the running test ends. `words`: more of its command line. */
export const chromium = async (
  options: BrowserContextOptions = {},
  words: readonly string[] = [],
): Promise<BrowserContext> => {
  const { chromium: driver } = await import('playwright-core');
  const folder = makeSandbox();
  const context = await driver.launchPersistentContext(join(folder, 'profile'), {
    ...options,
    ...(program === undefined ? {} : { executablePath: program }),
    headless: true,
    args: [...quiet, ...words, ...(isRoot ? ['--no-sandbox'] : [])],
  });
  onTestFinished(async () => {
    await context.close();
    removeSandbox(folder);
  });
  return context;
};

const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-pings',
];
