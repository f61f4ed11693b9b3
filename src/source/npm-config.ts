/**
 * The user's npm configuration: registry, registries of scopes, proxies, certificates and credentials, read by npm's own library from
 * the same places as npm reads them: environment, the user's npmrc, the global and the built-in one.
 *
 * Not read: the npmrc of a project that happens to be in the current folder (an installation must not depend on it), and
 * `nodedir` (native modules are built for the private Node). Credentials stay in what is returned; nobody prints it.
 */
import { delimiter, dirname, join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { realPathIfThere } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';

/** npm's flat options, as its fetching library takes them. */
export interface NpmOptions extends Readonly<Record<string, unknown>> {
  readonly registry: string;
}

/** Failure 'download-failed' where the configuration can't be read. */
export const npmOptions = async (world: World): Promise<NpmOptions> => {
  const [{ default: Config }, { default: npm }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ]);
  const env = Object.fromEntries(
    Object.entries(world.env).filter(([name]) => !/^npm_config_(nodedir|global|prefix|location)$/i.test(name)),
  );
  const config = new Config({
    ...npm,
    env,
    argv: ['node', 'npm'],
    cwd: '/',
    platform: 'linux',
    ...machinesNpm(world),
  } as unknown as ConstructorParameters<typeof Config>[0]);
  try {
    await config.load();
    return withRegistry({ ...config.flat });
  } catch (error) {
    throw new Failure(
      'download-failed',
      `npm's configuration could not be read: ${messageOf(error)}`,
      'Look at it with "npm config list" and correct it. Nothing was changed.',
      error,
    );
  }
};

/** The registry that the configuration names for a package: its scope's, else the general one. Ends in a slash. */
export const registryOf = (options: NpmOptions, packageName: string): string => {
  const scoped = packageName.startsWith('@') ? options[`${packageName.split('/')[0]}:registry`] : undefined;
  const registry = typeof scoped === 'string' ? scoped : options.registry;
  return registry.endsWith('/') ? registry : `${registry}/`;
};

const withRegistry = (flat: Record<string, unknown>): NpmOptions => {
  const { registry } = flat;
  if (typeof registry === 'string' && URL.canParse(registry)) return { ...flat, registry };
  throw new Error(`the registry ${JSON.stringify(registry)} is no address`);
};

/** Where the global and built-in configuration lie: beside the Node and the npm that the user's own shell would find. */
const machinesNpm = (world: World): { execPath: string; npmPath: string } => {
  const folders = (world.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  const find = (name: string): string | undefined =>
    folders.map((folder) => realPathIfThere(join(folder, name))).find((path) => path !== undefined);
  const node = find('node') ?? '/usr/bin/node';
  return { execPath: node, npmPath: dirname(dirname(find('npm') ?? node)) };
};
