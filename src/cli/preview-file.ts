/**
 * The page that `--html FILE` asks for. A file that is there already is replaced only if it is an earlier preview: whatever else it is, it
 * belongs to somebody.
 */

import { dirname, join, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { readIfThere, statIfThere, writeDurably } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { Preview } from '../telemetry/preview.ts';
import { isPreviewPage, previewPage } from '../ui/views/preview-html.ts';

/** Where the page goes. Throws 'usage-option' where it can't go there, before anything else is done. */
export const pageAsked = (world: World, file: string): string => {
  const path = resolve(world.cwd, file);
  const wrong = objectionTo(path);
  if (wrong === undefined) return path;
  throw new Failure('usage-option', `--html: ${path} ${wrong}.`, 'Name another file. Nothing was changed.');
};

/** Writes the page, with the script of this very program in it. Looks again first: somebody else may have made the file meanwhile. */
export const writePage = (world: World, path: string, preview: Preview): void => {
  pageAsked(world, path);
  writeDurably(path, previewPage(preview, chartScript(world)));
};

const objectionTo = (path: string): string | undefined => {
  const there = statIfThere(path);
  if (there === undefined)
    return statIfThere(dirname(path)) === undefined ? 'lies in a folder that does not exist' : undefined;
  if (there.kind !== 'file') return `is a ${there.kind === 'other' ? 'device' : there.kind}`;
  return isPreviewPage(readIfThere(path) ?? '') ? undefined : 'is there already, and is no earlier preview';
};

const chartScript = (world: World): string => {
  const path = join(world.program, 'dist/charts-page.js');
  const text = readIfThere(path);
  if (text !== undefined) return text;
  throw new Failure(
    'usage-option',
    `--html: ${path}, which draws the charts, is missing from this program.`,
    'Install Assent again, or preview without --html. Nothing was changed.',
  );
};
