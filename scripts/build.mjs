/**
 * Builds dist/: the whole program with its libraries in it, so that the package has no dependencies at run time.
 *
 *   node scripts/build.mjs              build
 *   node scripts/build.mjs --if-stale   build unless dist/ was made from exactly these inputs (by content, not by time)
 *   node scripts/build.mjs --clean      build, and leave nothing of earlier builds (for packing)
 *
 * Entries are found by their names: src/main.ts is the program, src/bootstrap.ts fetches the private Node (it has to run
 * on Node 18), and every src/**\/*-child.ts and *-worker.ts is a process or thread of its own, dist/NAME.mjs. The program shares
 * nothing with these. It has chunks, which are loaded lazily wherever the source says `await import(...)`. What is loaded into servers,
 * src/**\/*-preload.ts, is one file with nothing in it that it does not use.
 *
 * What runs in a browser, src/**\/*-page.ts, becomes one script, dist/NAME.js, for pages that have everything in them.
 *
 * A build may run while an older one is in use: each file is renamed into place, chunks before the entries that name them, and chunks
 * of earlier builds stay for an hour, for whoever has still to load them. build.json comes last and names the sha256 of each
 * file of the program: from that list a verified copy of the program is made for units and detached runs.
 *
 * Plain JavaScript, since it also runs on the machine's old Node.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrapOptions, guestOptions, pageOptions, programOptions } from './bundle-options.mjs';
import { finished } from './finish-output.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** What decides about the contents of dist/. */
const inputFolders = ['src', 'bin', 'products', 'schema', 'scripts', 'package.json', 'package-lock.json'];
/** What the installed program consists of, beside dist/. */
const programFolders = ['bin', 'products', 'schema', 'package.json'];

const inputs = digestOf(inputFolders.flatMap((name) => filesUnder(name)));
if (!process.argv.includes('--if-stale') || inputs !== builtFrom()) {
  await build().catch((error) => {
    // What is wrong in the source was printed by esbuild, with its place.
    if (!Array.isArray(error.errors)) console.error(error);
    process.exitCode = 1;
  });
}

async function build() {
  const { build: bundle } = await import('esbuild').catch(() => {
    throw new Error('The libraries are missing: run "npm ci" first.');
  });
  const program = await bundle(programOptions(root, [{ in: 'src/main.ts', out: 'main' }]));
  const processes = await bundle(programOptions(root, entriesNamed(/-(child|worker)\.ts$/)));
  const guests = await bundle(guestOptions(root, entriesNamed(/-preload\.ts$/)));
  const bootstrap = await bundle(bootstrapOptions(root));
  const pages = await bundle(pageOptions(root, entriesNamed(/-page\.ts$/)));
  const outputs = [
    ...[program, processes, guests].flatMap(({ outputFiles, metafile }) =>
      outputFiles.map(({ path, text }) => ({ path, text: finished(text, metafile) })),
    ),
    ...[bootstrap, pages].flatMap(({ outputFiles }) => outputFiles).map(({ path, text }) => ({ path, text })),
  ];
  const isChunk = (/** @type {string} */ path) => path.includes('/chunks/');
  for (const file of outputs.sort((a, b) => Number(isChunk(b.path)) - Number(isChunk(a.path)))) {
    put(file.path, file.text);
  }
  put(
    join(dist, 'licenses.txt'),
    licenseTexts([program, processes, guests, bootstrap, pages].map(({ metafile }) => metafile)),
  );
  removeOthers(outputs.map((file) => relative(root, file.path)));
  const files = [
    ...outputs.map((file) => relative(root, file.path)),
    'dist/licenses.txt',
    ...programFolders.flatMap(filesUnder),
  ];
  put(join(dist, 'build.json'), `${JSON.stringify(description(files), null, 1)}\n`);
}

/** @param {RegExp} pattern */
function entriesNamed(pattern) {
  const names = filesUnder('src').filter((name) => pattern.test(name));
  const entries = names.map((name) => ({ in: name, out: basename(name, '.ts') }));
  const outs = new Set(entries.map((entry) => entry.out));
  if (outs.size !== entries.length || outs.has('main')) throw new Error('Two entries have one name.');
  return entries;
}

/** @param {string} path @param {string} text */
function put(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** @param {string[]} outputs */
function removeOthers(outputs) {
  const keep = new Set([...outputs, 'dist/licenses.txt']);
  const spared = process.argv.includes('--clean') ? 0 : 3_600_000;
  for (const name of filesUnder('dist').filter((each) => !keep.has(each))) {
    const found = statSync(join(root, name), { throwIfNoEntry: false });
    if (found && Date.now() - found.mtimeMs >= spared) rmSync(join(root, name), { force: true });
  }
}

/** @param {string[]} names */
function description(names) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const sorted = [...new Set(names)].sort();
  const files = Object.fromEntries(sorted.map((name) => [name, sha256(readFileSync(join(root, name)))]));
  return { version, inputs, files };
}

function builtFrom() {
  try {
    const built = JSON.parse(readFileSync(join(dist, 'build.json'), 'utf8'));
    const complete = Object.keys(built.files).every((name) => existsSync(join(root, name)));
    return complete ? built.inputs : undefined;
  } catch {
    return undefined;
  }
}

/** Regular files under a folder (or the file itself), sorted, relative to the root. @param {string} name @returns {string[]} */
function filesUnder(name) {
  const path = join(root, name);
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return name === 'dist/build.json' ? [] : [name];
  return readdirSync(path)
    .sort()
    .flatMap((entry) => filesUnder(`${name}/${entry}`));
}

/** @param {string[]} names */
function digestOf(names) {
  return sha256(names.map((name) => `${sha256(readFileSync(join(root, name)))} ${name}\n`).join(''));
}

/** @param {string | Uint8Array} data */
function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * The licences of the libraries that really went into the bundle, as those licences ask for.
 * @param {import('esbuild').Metafile[]} metafiles
 */
function licenseTexts(metafiles) {
  const folders = new Set();
  for (const name of metafiles.flatMap((metafile) => Object.keys(metafile.inputs))) {
    // What a plugin loaded has its name in front and a whole path behind it.
    const path = relative(root, resolve(root, name.replace(/^[\w-]+:/, '')));
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (found) folders.add(found[1]);
  }
  return [...folders].sort().map(licenseOf).join('\n\n');
}

/** @param {string} folder */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : '';
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}`;
}
