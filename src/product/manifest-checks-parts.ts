/** What a schema can't say of a release's parts: which of them need a Node, and that no two things want one place. */

import type { Path, RawFault } from './located-yaml.ts';
import type { Release } from './manifest.ts';
import { type DebSource, type Part, pathOfPart } from './parts.ts';

export const checkParts = (release: Release, path: Path): RawFault[] => [
  ...release.parts.flatMap((part) => checkPart(release, part, [...path, ...pathOfPart(part)])),
  ...checkTelemetryRuntime(release, path),
];

const checkPart = (release: Release, part: Part, path: Path): RawFault[] => [
  ...checkPlace(release, part, path),
  ...(part.source.kind === 'deb' ? checkDeb(part.source, path) : []),
  ...(part.source.kind === 'npm' && part.source.rebuild.length > 0 && release.runtime === undefined
    ? [
        {
          path: [...path, 'rebuild'],
          what: 'native code is compiled for a Node, and this release has no "runtime"',
          remedy: 'add "runtime: 24.21.0" to the release',
        },
      ]
    : []),
];

/** Templates lie in the release's folder too, under the paths that they have beside the manifest. */
const checkPlace = ({ config }: Release, { name }: Part, path: Path): RawFault[] => {
  const clash = config.find(({ template }) => name !== '' && template.split('/')[0] === name);
  if (clash === undefined) return [];
  return [
    {
      path,
      key: true,
      what: `the part would lie where the template ${clash.template} lies`,
      remedy: 'give the part or the folder of templates another name',
    },
  ];
};

const checkDeb = ({ suites, packages, without, architectures }: DebSource, path: Path): RawFault[] => {
  const names = packages.map((wanted) => wanted.split('/')[0] ?? wanted);
  const foreign = packages.flatMap((wanted, at): RawFault[] => {
    const suite = wanted.split('/')[1];
    if (suite === undefined || suites.includes(suite)) return [];
    const remedy = `add ${suite} to "suites", or leave it out`;
    return [{ path: [...path, 'packages', at], what: `${suite} is not among the suites`, remedy }];
  });
  const contradicted = without.flatMap((name, at): RawFault[] => {
    if (!names.includes(name)) return [];
    return [
      { path: [...path, 'without', at], what: `${name} is wanted in "packages"`, remedy: 'keep it in one of them' },
    ];
  });
  return [
    ...foreign,
    ...contradicted,
    ...twice(names, [...path, 'packages']),
    ...twice(suites, [...path, 'suites']),
    ...twice(without, [...path, 'without']),
    ...twice(architectures, [...path, 'architectures']),
  ];
};

const twice = (names: readonly string[], path: Path): RawFault[] =>
  names.flatMap((name, at) =>
    names.indexOf(name) === at ? [] : [{ path: [...path, at], what: `${name} stands twice`, remedy: 'name it once' }],
  );

/** Files of a server's own telemetry are edited by a small script, which the release's Node runs. */
const checkTelemetryRuntime = ({ runtime, ownTelemetry }: Release, path: Path): RawFault[] => {
  if (runtime !== undefined || ownTelemetry === undefined) return [];
  return (['off', 'on'] as const).flatMap((key) =>
    (ownTelemetry[key] ?? []).flatMap(({ kind }, at): RawFault[] => {
      if (kind !== 'json') return [];
      const remedy = 'add "runtime: 24.21.0" to the release, or use an action of kind environment';
      return [{ path: [...path, 'ownTelemetry', key, at], what: 'editing a file needs a "runtime"', remedy }];
    }),
  );
};
