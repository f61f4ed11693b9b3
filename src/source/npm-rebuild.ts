/**
 * Compiles native modules, by name: the only scripts of packages that are ever run are those that the manifest lists, and npm runs them.
 *
 * npm itself is a pinned artifact, run by the release's own Node, and so is what it compiles against: the user's `nodedir` is overruled, PATH
 * begins with the private Node, HOME is an empty folder. No configuration of the user reaches it, and no network is needed:
 * what a build would download it has to do without, and compiles instead.
 */
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { makeFolder } from '../system/files.ts';
import { minimalEnvironment, run } from '../system/processes.ts';
import { writeQuickly } from '../system/quick-files.ts';
import { processorCount } from '../system/release-workers.ts';

export interface RebuildOptions {
  /** A folder of our own, for npm's home and cache. */
  readonly staging: string;
  /** Path of the release's Node. */
  readonly node: string;
  /** Folder with that Node's include/. */
  readonly headers: string;
  /** Folder of npm. */
  readonly npm: string;
}

const minutes = 30;

/** Compiles them in place. Failure 'build-failed' with the end of the build's output. */
export const rebuildNative = async (
  folder: string,
  names: readonly string[],
  options: RebuildOptions,
): Promise<void> => {
  const home = join(options.staging, 'build-home');
  makeFolder(home, { mode: 0o700 });
  writeQuickly(join(home, '.npmrc'), '', 0o600);
  const command = [
    options.node,
    join(options.npm, 'bin/npm-cli.js'),
    'rebuild',
    ...names,
    '--foreground-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
  ];
  const { code, signal, stdout, stderr, timedOut } = await run(command, {
    cwd: folder,
    env: buildEnvironment(home, options),
    timeoutMs: minutes * 60_000,
    maxBytes: 64 << 20,
  });
  if (code === 0) return;
  const why = timedOut
    ? `it took longer than ${minutes} minutes`
    : signal !== null
      ? `it was ended by ${signal}`
      : `npm ended with code ${code}`;
  throw new Failure(
    'build-failed',
    `${names.join(', ')} could not be compiled: ${why}.`,
    `The end of its output:\n${lastLines(`${stdout}\n${stderr}`)}\nNothing was changed.`,
  );
};

const buildEnvironment = (home: string, { node, headers, npm }: RebuildOptions): Record<string, string> => ({
  ...minimalEnvironment,
  PATH: `${dirname(node)}:${join(npm, 'node_modules/.bin')}:${minimalEnvironment.PATH}`,
  HOME: home,
  TMPDIR: home,
  MAKEFLAGS: `-j${processorCount()}`,
  npm_config_nodedir: headers,
  npm_config_userconfig: join(home, '.npmrc'),
  npm_config_globalconfig: join(home, 'globalrc'),
  npm_config_cache: join(home, 'cache'),
  npm_config_build_from_source: 'true',
  npm_config_offline: 'true',
});

const lastLines = (output: string): string =>
  output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.includes('complete log of this run'))
    .slice(-25)
    .join('\n');
