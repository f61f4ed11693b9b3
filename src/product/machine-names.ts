/** What Debian calls the machines that Node calls x64 and arm64: in the names of packages, and in the folders of libraries. */

export const debArchitectures = ['amd64', 'arm64'] as const;
export type DebArchitecture = (typeof debArchitectures)[number];

const names: Readonly<Record<string, { readonly debian: DebArchitecture; readonly triplet: string }>> = {
  x64: { debian: 'amd64', triplet: 'x86_64-linux-gnu' },
  arm64: { debian: 'arm64', triplet: 'aarch64-linux-gnu' },
};

/** Of one of Node's architectures; undefined for one that Assent does not run on. */
export const debArchitectureOf = (arch: string): DebArchitecture | undefined => names[arch]?.debian;

/** `usr/lib/TRIPLET` is where Debian's libraries lie. */
export const tripletOf = (arch: string): string => names[arch]?.triplet ?? `${arch}-linux-gnu`;
