/** The order of releases: semantic versioning's, by the library that npm itself uses. */

import semver from 'semver';

/** Negative where `one` is older than `other`, positive where it is newer. */
export const compareVersions = (one: string, other: string): number => semver.compare(one, other);
