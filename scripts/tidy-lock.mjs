/**
 * Takes out of a lockfile what no machine that Assent runs on could install: optional packages for other systems, processors
 * and C libraries. Run it after every change of dependencies: node scripts/tidy-lock.mjs [FILE]
 *
 * Registries may lack some of those packages (npm then writes an entry without a version, and `npm ci` refuses the whole
 * lockfile), and nobody here reviews them. It also takes out `resolved`, since a lockfile names no registry.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
const wanted = { os: ['linux'], cpu: ['x64', 'arm64'], libc: ['glibc'] };

for (const [location, entry] of Object.entries(lock.packages)) {
  if (location !== '' && entry.optional && (entry.version === undefined || !runsHere(entry)))
    delete lock.packages[location];
  delete entry.resolved;
}
for (const [location, entry] of Object.entries(lock.packages)) {
  const names = Object.keys(entry.optionalDependencies ?? {});
  for (const name of names.filter((each) => !isInstalled(location, each))) delete entry.optionalDependencies[name];
  if (names.length > 0 && Object.keys(entry.optionalDependencies).length === 0) delete entry.optionalDependencies;
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** @param {Record<string, string[] | undefined>} entry */
function runsHere(entry) {
  return Object.entries(wanted).every(([kind, values]) => {
    const asked = entry[kind];
    return (
      asked === undefined ||
      values.some((value) => asked.includes(value) || (asked[0]?.startsWith('!') && !asked.includes(`!${value}`)))
    );
  });
}

/** Whether Node would find the package from that location: beside it, or beside a folder above. @param {string} location @param {string} name */
function isInstalled(location, name) {
  for (let folder = `/${location}`; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    if (`${folder}/node_modules/${name}`.replace(/^\/+/, '') in lock.packages) return true;
    if (!folder.includes('/node_modules/')) return false;
  }
}
