/**
 * What a schema can't say of a manifest: names, versions, secrets and promises have to agree with one another.
 * Pure; each check returns faults at paths of the document, and all of them run, so that an author sees everything at once.
 */

import { compare } from 'semver';
import { Failure } from '../errors.ts';
import type { Path, RawFault } from './located-yaml.ts';
import type { Product, Release } from './manifest.ts';
import { checkAccessLog } from './manifest-checks-access-log.ts';
import { checkCounting } from './manifest-checks-counting.ts';
import { checkGenerated } from './manifest-checks-generated.ts';
import { checkParts } from './manifest-checks-parts.ts';
import { checkOwnTelemetry, noLogin } from './manifest-checks-telemetry.ts';
import { checkTemplates } from './manifest-checks-templates.ts';
import { checkRisks } from './risks.ts';
import { parseSetting, type Setting } from './settings.ts';
import { contextNames } from './template.ts';

/** Every fault of a product whose structure is sound. */
export const checkManifest = (product: Product): RawFault[] => [
  ...product.settings.flatMap((setting) => checkSetting(setting, product.settings)),
  ...checkLogin(product),
  ...checkVersions(product.releases),
  ...checkCounters(product),
  ...checkAccessLog(product),
  ...product.releases.flatMap((release, at) => checkRelease(product, release, ['releases', at])),
  ...checkRisks(product),
  ...checkTemplates(product),
];

/** Allowed, but the same thing has another name in the other products: scripts and people profit from one word. */
export const hintsOf = (product: Product): RawFault[] =>
  product.settings.flatMap(({ name, type }) => {
    const better = commonNames.find((common) => common.type === type && common.others.test(name))?.name;
    if (better === undefined) return [];
    const path = ['settings', name];
    return [
      {
        path,
        key: true,
        what: `other products call this "${better}"`,
        remedy: `rename it to ${better} if it means the same`,
      },
    ];
  });

const commonNames: readonly { name: string; type: Setting['type']; others: RegExp }[] = [
  {
    name: 'webPort',
    type: 'port',
    others: /^(port|httpPort|http|web|uiPort|guiPort|webServerPort|serverPort|wwwPort)$/,
  },
  { name: 'smtpPort', type: 'port', others: /^(smtp|mailPort|emailPort|mtaPort)$/ },
  {
    name: 'listen',
    type: 'address',
    others: /^(address|host|bind|bindAddress|listenAddress|listenOn|ip|interface|hostname)$/,
  },
  { name: 'domain', type: 'domain', others: /^(mailDomain|hostname|host|domainName|fqdn)$/ },
];

const checkSetting = (setting: Setting, all: readonly Setting[]): RawFault[] => {
  const path = ['settings', setting.name];
  const faults: RawFault[] = [];
  const [head = ''] = setting.name.split('.');
  if ([...contextNames, 'urls', 'secret', 'secretFile'].includes(head)) {
    faults.push({
      path,
      key: true,
      what: `"${head}" means something else in templates`,
      remedy: 'choose another name',
    });
  }
  if (all.some((other) => other.name.startsWith(`${setting.name}.`))) {
    faults.push({
      path,
      key: true,
      what: 'is a setting and the first part of another',
      remedy: 'rename one of the two',
    });
  }
  const address = all.find(
    (other) => other.type === 'address' && [`${other.name}Host`, `${other.name}Bind`].includes(setting.name),
  );
  if (address !== undefined) {
    faults.push({
      path,
      key: true,
      what: `is what templates derive from the address "${address.name}"`,
      remedy: 'choose another name',
    });
  }
  return [...faults, ...checkBounds(setting, path), ...checkDefault(setting, path), ...checkGenerated(setting, path)];
};

const checkBounds = ({ min, max, choices }: Setting, path: Path): RawFault[] => {
  if (min !== undefined && max !== undefined && min > max) {
    return [{ path: [...path, 'min'], what: `${min} is more than max, ${max}`, remedy: 'let min be at most max' }];
  }
  const twice = choices?.findIndex((one, at) => choices.indexOf(one) !== at) ?? -1;
  return twice < 0
    ? []
    : [{ path: [...path, 'choices', twice], what: 'stands twice', remedy: 'name each choice once' }];
};

const checkDefault = (setting: Setting, path: Path): RawFault[] => {
  if (setting.default === undefined) return [];
  try {
    parseSetting(setting, String(setting.default));
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const what = error.message.replace(/^.*?\): /, '').replace(/\.$/, '');
    return [{ path: [...path, 'default'], what, remedy: `give a default that is valid for the type ${setting.type}` }];
  }
};

const checkLogin = ({ login, settings }: Product): RawFault[] => {
  if (login === undefined || settings.some(({ name, type }) => name === login.secret && type === 'secret')) return [];
  const secrets = settings.filter(({ type }) => type === 'secret').map(({ name }) => name);
  const remedy = secrets.length > 0 ? `name one of: ${secrets.join(', ')}` : 'add a setting of type secret';
  return [{ path: ['login', 'secret'], what: `"${login.secret}" is no secret of this product`, remedy }];
};

const checkVersions = (releases: readonly Release[]): RawFault[] =>
  releases.flatMap(({ version }, at) => {
    const before = releases[at - 1]?.version;
    if (before === undefined) return [];
    const order = compare(before, version);
    const path = ['releases', at, 'version'];
    if (order === 0) return [{ path, what: `${version} stands twice`, remedy: 'keep one release of each version' }];
    return order < 0
      ? []
      : [{ path, what: `${version} stands after ${before}`, remedy: 'put the releases in ascending order' }];
  });

const checkCounters = ({ telemetry }: Product): RawFault[] => {
  const { counters = [], dimensions = [] } = telemetry ?? {};
  const twice = counters.flatMap(({ name }, at): RawFault[] => {
    if (counters.findIndex((other) => other.name === name) === at) return [];
    return [
      {
        path: ['telemetry', 'counters', at, 'name'],
        what: `"${name}" stands twice`,
        remedy: 'give each counter a name of its own',
      },
    ];
  });
  if (new Set(dimensions).size === dimensions.length) return twice;
  return [
    ...twice,
    { path: ['telemetry', 'dimensions'], what: 'has a dimension twice', remedy: 'name each dimension once' },
  ];
};

const checkRelease = (product: Product, release: Release, path: Path): RawFault[] => [
  ...checkParts(release, path),
  ...checkConfig(release, path),
  ...checkHealthLogin(product, release, path),
  ...checkVersionPatterns(release, path),
  ...checkCounting(product, release, path),
  ...checkOwnTelemetry(product, release, path),
];

const checkConfig = ({ config, service }: Release, path: Path): RawFault[] => {
  const faults = config.flatMap(({ file }, at): RawFault[] => {
    if (config.findIndex((other) => other.file === file) === at) return [];
    return [
      {
        path: [...path, 'config', at, 'file'],
        what: `"${file}" is written twice`,
        remedy: 'give each file a name of its own',
      },
    ];
  });
  const wanted = service.environmentFile;
  if (wanted === undefined || config.some(({ file }) => file === wanted)) return faults;
  const remedy = 'name a file that "config" of this release writes';
  return [
    ...faults,
    { path: [...path, 'service', 'environmentFile'], what: `no config file is called "${wanted}"`, remedy },
  ];
};

const checkHealthLogin = ({ login }: Product, { health }: Release, path: Path): RawFault[] =>
  health.checks.flatMap((check, at) => {
    if (check.kind !== 'http' || !check.login || login !== undefined) return [];
    return [{ path: [...path, 'health', 'checks', at, 'login'], ...noLogin }];
  });

const checkVersionPatterns = ({ health }: Release, path: Path): RawFault[] =>
  health.checks.flatMap((check, at) => {
    if (check.kind !== 'smtp' || check.version === undefined || groupsIn(check.version) > 0) return [];
    const remedy = 'put the part that is the version in brackets: Haraka/(\\S+)';
    return [{ path: [...path, 'health', 'checks', at, 'version'], what: 'has no group', remedy }];
  });

/** How many groups a pattern has: an empty alternative always matches, and tells. */
const groupsIn = (pattern: string): number => (new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1) - 1;
