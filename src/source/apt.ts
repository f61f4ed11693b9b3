/**
 * apt's own programs under a private configuration: lists, state and cache lie in a folder of ours, the dpkg status is empty, and nothing of the
 * host's apt is touched. No root is needed, and none is used: no package is ever installed.
 *
 * Of the host come the mirrors of the suites that are asked for (where it has none, Debian's public one is asked), the keyrings, proxies and credentials
 * (`Acquire::http` and its like), and nothing else: no hooks, no pinning. apt checks each suite's signature; packages are hashed by whoever asks for them.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { DebArchitecture } from '../product/machine-names.ts';
import { listFolder, makeFolder, readIfThere } from '../system/files.ts';
import { minimalEnvironment, type RunResult, run } from '../system/processes.ts';
import { realPathIfThere, writeQuickly } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';
import {
  type AptSource,
  debianKeyring,
  parseAptSources,
  publicSource,
  sourcesFor,
  sourcesText,
} from './apt-sources.ts';
import { listsTrouble } from './apt-trouble.ts';

export interface AptOptions {
  readonly world: World;
  /** A folder that is not there yet. */
  readonly folder: string;
  readonly suites: readonly string[];
  readonly architecture: DebArchitecture;
}

/** A private apt whose lists were read. Made by openApt alone. */
export interface Apt {
  readonly folder: string;
  readonly architecture: DebArchitecture;
  readonly sources: readonly AptSource[];
  readonly env: Readonly<Record<string, string>>;
  /** What apt said of suites that their mirrors no longer have; empty where it has read all. */
  readonly gone: string;
}

const helper = '/usr/lib/apt/apt-helper';
const minutes = 60_000;

/** apt's programs that are missing here; empty where all are there. */
export const missingAptPrograms = (path = minimalEnvironment.PATH ?? ''): string[] =>
  missingPrograms(['apt-get', 'apt-cache', 'apt-config', 'gpgv'], path);

export const missingPrograms = (programs: readonly string[], path = minimalEnvironment.PATH ?? ''): string[] => {
  const folders = path.split(':');
  return programs.filter((program) => folders.every((folder) => realPathIfThere(join(folder, program)) === undefined));
};

/** Failure 'refused-apt' for what Debian packages take and this machine lacks. */
export const refuseMissing = (missing: readonly string[]): void => {
  if (missing.length === 0) return;
  throw new Failure(
    'refused-apt',
    `This release comes from Debian packages, and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing here.`,
    'Install it on Debian, Ubuntu or another system with apt and dpkg; there: apt-get install apt dpkg gpgv. Nothing was changed.',
  );
};

/** Reads the lists of the suites anew. Failures 'refused-apt', 'download-failed', 'verification-failed' (a signature), 'refused-space'. */
export const openApt = async ({ world, folder, suites, architecture }: AptOptions): Promise<Apt> => {
  refuseMissing(missingAptPrograms());
  if (/["\n]/.test(folder)) throw unfitFolder(folder);
  const host = await hostConfiguration(world);
  const { sources: named, missing } = sourcesFor(suites, host.sources);
  const sources = [...named, ...publicSources(missing)];
  for (const name of ['lists/partial', 'archives/partial', 'tmp', 'etc'])
    makeFolder(join(folder, name), { mode: 0o755 });
  writeQuickly(join(folder, 'status'), '', 0o644);
  writeQuickly(join(folder, 'etc/mirrors.sources'), sourcesText(sources), 0o600);
  writeQuickly(join(folder, 'apt.conf'), configurationText(folder, architecture, host), 0o600);
  const env = environmentFor(world, folder);
  const apt: Apt = { folder, architecture, sources, env, gone: '' };
  const result = await runApt(apt, ['apt-get', 'update'], { timeoutMs: 15 * minutes });
  return result.code === 0 ? apt : { ...apt, gone: listsTrouble(result, suites) };
};

/** For suites that no mirror of the host's has. Failure 'refused-apt' for those of others, and where Debian's keys are missing here. */
export const publicSources = (suites: readonly string[], keyring = debianKeyring): AptSource[] => {
  const unknown = suites.filter((suite) => publicSource(suite) === undefined);
  if (unknown.length > 0) throw noSource(unknown);
  if (suites.length > 0 && realPathIfThere(keyring) === undefined) throw noKeyring(suites, keyring);
  return suites.flatMap((suite) => publicSource(suite) ?? []);
};

/** Runs one of apt's programs; the caller looks at what came of it. */
export const runApt = (
  { env, folder }: Apt,
  command: readonly string[],
  options: { readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<RunResult> =>
  run(command, { env, cwd: options.cwd ?? folder, timeoutMs: options.timeoutMs ?? 5 * minutes, maxBytes: 64 << 20 });

/** A file by its address, with apt's proxies and credentials. False where it can't be had. */
export const fetchByApt = async (apt: Apt, uri: string, file: string): Promise<boolean> => {
  const { code } = await runApt(apt, [helper, 'download-file', uri, file], { timeoutMs: 15 * minutes });
  return code === 0;
};

interface HostConfiguration {
  readonly sources: readonly AptSource[];
  /** Lines of apt's configuration about the network. */
  readonly network: readonly string[];
  /** Names below Dir::Etc -> absolute paths. */
  readonly paths: Readonly<Record<string, string>>;
}

/** From apt-config, as apt itself would read it: also where APT_CONFIG names another file. */
const hostConfiguration = async ({ env }: World): Promise<HostConfiguration> => {
  const own = { ...minimalEnvironment, ...(env.APT_CONFIG === undefined ? {} : { APT_CONFIG: env.APT_CONFIG }) };
  const asked = ['sourcelist/f', 'sourceparts/d', 'trusted/f', 'trustedparts/d', 'netrc/f', 'netrcparts/d'];
  const words = asked.flatMap((name) => [name.slice(0, -2), `Dir::Etc::${name}`]);
  const [shell, dump] = await Promise.all([
    run(['apt-config', 'shell', ...words], { env: own, timeoutMs: minutes }),
    run(['apt-config', 'dump'], { env: own, timeoutMs: minutes }),
  ]);
  const paths = Object.fromEntries(
    [...shell.stdout.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name = '', path = '']) => [name, path]),
  );
  return { sources: hostSources(paths), network: dump.stdout.split('\n').filter((line) => carried.test(line)), paths };
};

/** What is taken over of the host's configuration. Nothing that would allow unsigned lists is among it. */
const carried =
  /^Acquire::(http|https|socks5h|tor|Retries|ForceIPv[46]|Check-Valid-Until|Check-Date|M(ax|in)-ValidTime|Max-FutureTime)(::[^ ]*)? "/i;

const hostSources = ({ sourcelist = '', sourceparts = '' }: Readonly<Record<string, string>>): AptSource[] => {
  const parts = listFolder(sourceparts)
    .filter((name) => /^[\w.-]+\.(list|sources)$/.test(name))
    .map((name) => join(sourceparts, name));
  return [sourcelist, ...parts].flatMap((file) => parseAptSources(textOf(file), file));
};

/** A file that we may not read, or a link, counts as none. */
const textOf = (file: string): string => {
  try {
    return readIfThere(realPathIfThere(file) ?? file) ?? '';
  } catch {
    return '';
  }
};

const configurationText = (folder: string, architecture: string, host: HostConfiguration): string => {
  const { trusted = '', trustedparts = '', netrc = '', netrcparts = '' } = host.paths;
  const settings: Record<string, string> = {
    Dir: `${folder}/`,
    'Dir::State': `${folder}/`,
    'Dir::State::lists': `${folder}/lists/`,
    'Dir::State::status': `${folder}/status`,
    'Dir::State::extended_states': `${folder}/extended_states`,
    'Dir::Cache': `${folder}/`,
    'Dir::Cache::archives': `${folder}/archives/`,
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Log': folder,
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': `${folder}/etc/`,
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Etc::trusted': trusted,
    'Dir::Etc::trustedparts': trustedparts,
    'Dir::Etc::netrc': netrc,
    'Dir::Etc::netrcparts': netrcparts,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
    // Lists that could not be read are an error, not a warning.
    'APT::Update::Error-Mode': 'any',
    // The folder is ours alone: as root apt would hand its downloads to a user who can't enter it.
    'APT::Sandbox::User': 'root',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  return [...lines, `APT::Architectures { "${architecture}"; };`, ...host.network, ''].join('\n');
};

const environmentFor = ({ env }: World, folder: string): Record<string, string> => {
  const proxies = Object.entries(env).filter(([name]) => /^(https?|no|all|ftp)_proxy$/i.test(name));
  return {
    ...minimalEnvironment,
    ...Object.fromEntries(proxies.map(([name, value]) => [name, value ?? ''])),
    APT_CONFIG: join(folder, 'apt.conf'),
    HOME: folder,
    TMPDIR: join(folder, 'tmp'),
  };
};

const unfitFolder = (folder: string): Failure =>
  new Failure(
    'refused-check',
    `apt can't work in ${JSON.stringify(folder)}: its configuration can't hold a quote or a line break.`,
    'Choose another --home. Nothing was changed.',
  );

/** With a pin: a source alone would bring what it has into the machine's own upgrades. Ours reads no pins. */
const noSource = (unknown: readonly string[]): Failure =>
  new Failure(
    'refused-apt',
    `No source of this machine's apt has ${unknown.join(', ')}, and Debian is not known to have it.`,
    [
      'Nothing was changed. Correct "suites" in the manifest; or, if another archive has it, first keep that out of this machine\'s own upgrades, in /etc/apt/preferences.d/assent:',
      unknown.map((suite) => `\nPackage: *\nPin: release n=${suite}\nPin-Priority: -1\n`).join(''),
      'Then name the archive in a file in /etc/apt/sources.list.d.',
    ].join('\n'),
  );

const noKeyring = (suites: readonly string[], keyring: string): Failure =>
  new Failure(
    'refused-apt',
    `No source of this machine's apt has ${suites.join(', ')}, and Debian's own can't be asked: its keys are not here (${keyring}).`,
    "Nothing was changed. apt-get install debian-archive-keyring, then run the command again. It brings keys alone, and no source: this machine's own upgrades stay as they are.",
  );
