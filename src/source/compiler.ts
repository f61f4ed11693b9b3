/**
 * Whether native modules can be compiled on this machine. Asked before anything is fetched, so that a missing compiler is one sentence
 * and not a screen of node-gyp's.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Release } from '../product/manifest.ts';
import { minimalEnvironment } from '../system/processes.ts';
import { realPathIfThere } from '../system/quick-files.ts';

/** Whether the release has native modules that are compiled here. */
export const needsCompiler = (release: Release): boolean => nativeParts(release).length > 0;

const nativeParts = ({ parts }: Release): string[] =>
  parts.flatMap(({ source }) => (source.kind === 'npm' ? source.rebuild : []));

/** What node-gyp needs: the first of each group that is there counts. */
const tools = {
  gcc: ['cc', 'gcc', 'clang'],
  'g++': ['g++', 'c++', 'clang++'],
  make: ['make', 'gmake'],
  python3: ['python3'],
} as const;

/** What is missing, by Debian's names; empty where everything is there. Looks only where the system's own programs are. */
export const missingTools = (path = minimalEnvironment.PATH ?? ''): string[] => {
  const folders = path.split(':');
  const isThere = (program: string): boolean =>
    folders.some((folder) => realPathIfThere(join(folder, program)) !== undefined);
  return Object.entries(tools).flatMap(([name, programs]) => (programs.some(isThere) ? [] : [name]));
};

/** Failure 'refused-compiler' where the release needs a compiler and there is none. */
export const refuseWithoutCompiler = async (release: Release, path?: string): Promise<void> => {
  if (!needsCompiler(release)) return;
  const missing = missingTools(path);
  if (missing.length === 0) return;
  throw new Failure(
    'refused-compiler',
    `${release.product} ${release.version} has native parts (${nativeParts(release).join(', ')}) that are compiled here, and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing.`,
    'Install them, on Debian and Ubuntu with: apt-get install gcc g++ make python3. Nothing was changed.',
  );
};
