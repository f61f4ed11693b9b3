/**
 * Which mirror has a suite: read from the host's own configuration of apt, one-line files and deb822 files alike. Pure.
 *
 * A suite that no entry names is derived where that is safe: Debian's own suites but the security ones lie side by side on one mirror, so the
 * backports of bookworm are asked of the mirror that bookworm comes from, with the same keyring. What Debian publishes and no mirror of the host's has is
 * asked of Debian's public one, with Debian's keyring: for us alone, for an entry among the host's own would open its upgrades to another system's packages.
 * Options that weaken apt's checks (`trusted=yes`) are not carried over.
 */

/** One entry for one suite, as it will stand in a private configuration. */
export interface AptSource {
  readonly suite: string;
  readonly uris: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring, fingerprints, or a key itself; absent where apt's trusted keys count. */
  readonly signedBy?: string;
}

/** `file`: its name decides how it is read: `.sources` is deb822, everything else a line an entry. */
export const parseAptSources = (text: string, file: string): AptSource[] =>
  file.endsWith('.sources') ? parseStanzas(text) : text.split('\n').flatMap(parseLine);

/** The entries for each suite, and the suites that no mirror of the host's has. */
export const sourcesFor = (
  suites: readonly string[],
  host: readonly AptSource[],
): { readonly sources: readonly AptSource[]; readonly missing: readonly string[] } => {
  const found = suites.map((suite) => {
    const named = host.filter((source) => source.suite === suite);
    const derived = named.length > 0 ? undefined : derive(suite, host);
    return { suite, sources: derived === undefined ? named : [derived] };
  });
  return {
    sources: found.flatMap(({ sources }) => sources),
    missing: found.filter(({ sources }) => sources.length === 0).map(({ suite }) => suite),
  };
};

/** The text of a deb822 file for a private configuration. */
export const sourcesText = (sources: readonly AptSource[]): string =>
  sources
    .map(({ suite, uris, components, signedBy }) =>
      [
        'Types: deb',
        `URIs: ${uris.join(' ')}`,
        `Suites: ${suite}`,
        ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
        ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
        '',
      ].join('\n'),
    )
    .join('\n');

/** Where Debian itself publishes a suite of its own; undefined for one that is not known to be Debian's. */
export const publicSource = (suite: string): AptSource | undefined => {
  const base = suite.replace(/-security$/, '');
  if (!debianReleases.test(base)) return undefined;
  const uri = base === suite ? 'http://deb.debian.org/debian' : 'http://security.debian.org/debian-security';
  return { suite, uris: [uri], components: ['main'], signedBy: debianKeyring };
};

export const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's releases by name and by standing; those that are not listed have to be named by the host. */
const debianReleases =
  /^(bullseye|bookworm|trixie|forky|duke|sid|stable|oldstable|testing|unstable)(-updates|-backports|-proposed-updates)?$/;

const derive = (suite: string, host: readonly AptSource[]): AptSource | undefined => {
  if (!debianReleases.test(suite)) return undefined;
  const base = suite.split('-')[0];
  const debian = host.filter(isMirrorOfDebian);
  const nearest = debian.find((source) => source.suite === base) ?? debian[0];
  return nearest && { ...nearest, suite };
};

/** Many vendors call their one suite `stable`, on Ubuntu too: by standing only who says so is Debian. */
const isMirrorOfDebian = ({ suite, uris, components }: AptSource): boolean => {
  const isKnown = debianReleases.test(suite) && components.includes('main');
  const byStanding = /^((old)?stable|testing|unstable)(-|$)/.test(suite);
  return isKnown && (!byStanding || uris.some((uri) => /debian/i.test(uri)));
};

const parseLine = (line: string): AptSource[] => {
  const [, options = '', rest = ''] = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S.*)$/.exec(line.replace(/#.*$/, '')) ?? [];
  const [uri, suite, ...components] = rest.split(/\s+/).filter(Boolean);
  if (uri === undefined || suite === undefined || suite.endsWith('/')) return [];
  const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]?.replaceAll(',', ' ');
  return [{ suite, uris: [uri], components, ...(signedBy === undefined ? {} : { signedBy }) }];
};

const parseStanzas = (text: string): AptSource[] => {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n[ \t]*\n/)
    .flatMap((stanza) => sourcesOf(fieldsOf(stanza)));
};

const sourcesOf = (fields: ReadonlyMap<string, string>): AptSource[] => {
  const list = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
  const isOn = !/^(no|false|off|0|without|disable)$/i.test(fields.get('enabled')?.trim() ?? 'yes');
  if (!isOn || !list('types').includes('deb') || list('uris').length === 0) return [];
  const signedBy = fields.get('signed-by');
  return list('suites')
    .filter((suite) => !suite.endsWith('/'))
    .map((suite) => ({
      suite,
      uris: list('uris'),
      components: list('components'),
      ...(signedBy === undefined ? {} : { signedBy }),
    }));
};

/** Lines that begin with a space go on with the field before, and are kept as they are: a key may be written so. */
const fieldsOf = (stanza: string): Map<string, string> => {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of stanza.split('\n')) {
    const [, name, value] = /^([A-Za-z][A-Za-z0-9-]*)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      last = name.toLowerCase();
      fields.set(last, value ?? '');
    } else if (/^\s/.test(line) && last !== '') fields.set(last, `${fields.get(last)}\n${line}`);
  }
  return fields;
};
