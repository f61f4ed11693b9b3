/** Checks of the machine and the home: what no single instance is to blame for. */

import { homePaths } from '../../release/layout.ts';
import { listFolder, statIfThere } from '../../system/files.ts';
import { freeSpace } from '../../system/space.ts';
import type { World } from '../../system/world.ts';
import type { Found } from './finding.ts';
import { note, problem, warning } from './finding.ts';

export interface Home {
  readonly world: World;
  readonly home: string;
  readonly names: readonly string[];
}

/** Below these the next change is likely to be refused. */
const leastBytes = 500_000_000;
const leastInodes = 30_000;

const platform = ({ world }: Home): Found[] => {
  const known = world.platform === 'linux' && world.libc === 'glibc' && ['x64', 'arm64'].includes(world.arch);
  if (known) return [];
  return [
    problem(
      'platform',
      `This is ${world.platform} on ${world.arch} (C library: ${world.libc}); Assent runs servers on Linux with glibc, on x64 and arm64.`,
      'Use such a machine.',
    ),
  ];
};

const homePermissions = ({ world, home }: Home): Found[] => {
  const stat = statIfThere(home);
  if (stat === undefined)
    return [note('home-missing', `There is no home ${home} yet.`, 'The first installation makes it.')];
  if (stat.kind !== 'folder')
    return [problem('home-kind', `${home} is no folder but a ${stat.kind}.`, 'Name another home: --home DIR')];
  if (stat.uid !== world.user.uid && stat.uid !== 0) {
    return [
      problem(
        'home-owner',
        `${home} belongs to user ${stat.uid}, and you are ${world.user.uid}.`,
        'Run the command as its owner.',
      ),
    ];
  }
  if ((stat.mode & 0o022) === 0) return [];
  return [problem('home-writable', `${home} can be written by others than its owner.`, `chmod go-w ${home}`)];
};

const space = ({ home }: Home): Found[] => {
  const { bytes, inodes, mount } = freeSpace(home);
  return [
    ...(bytes < leastBytes
      ? [
          warning(
            'space',
            `Only ${Math.round(bytes / 1e6)} MB are free on ${mount}.`,
            'Free some: an upgrade needs the new release and a copy of the data.',
          ),
        ]
      : []),
    ...(inodes !== null && inodes < leastInodes
      ? [
          warning(
            'inodes',
            `Only ${inodes} more files can be made on ${mount}.`,
            'Remove files: a release has up to 20,000.',
          ),
        ]
      : []),
  ];
};

const leftovers = ({ home }: Home): Found[] => {
  const left = listFolder(homePaths(home).staging).filter((name) => !name.endsWith('.lock'));
  if (left.length === 0) return [];
  return [
    note(
      'leftovers',
      `${left.length} half made folders lie in ${homePaths(home).staging}.`,
      'The next installation or upgrade sweeps them away.',
    ),
  ];
};

export const homeChecks = [platform, homePermissions, space, leftovers] as const;
