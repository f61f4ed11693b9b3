/**
 * The built program as somebody has it who installed it: a copy outside of the repository, run with a home of its own, by a user without rights where we
 * are root. Every bench that changes servers uses one.
 */

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
export const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

export interface LentProgram {
  /** Everything lies in it; whoever lent it removes it. */
  readonly base: string;
  readonly home: string;
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The document of a command; rejects where it does not succeed. */
  readonly assent: (...args: string[]) => Promise<{ downtimeSeconds?: number }>;
}

export const lendProgram = (): LentProgram => {
  const base = mkdtempSync(join(tmpdir(), 'assent-bench-'));
  const [program, home] = [join(base, 'program'), join(base, 'home')];
  chmodSync(base, 0o755);
  for (const part of ['bin', 'dist', 'products', 'schema', 'package.json'])
    cpSync(join(root, part), join(program, part), { recursive: true });
  mkdirSync(join(base, 'node'));
  cpSync(process.execPath, join(base, 'node/node'));
  spawnSync('chmod', ['-R', 'a+rX', base]);
  if ('uid' in nobody) chownSync(base, nobody.uid ?? 0, nobody.gid ?? 0);
  const passedOn = Object.entries(process.env).filter(([name]) => /^(NODE_EXTRA_CA_CERTS|npm_config_\w+)$/.test(name));
  const environment = {
    PATH: `${join(base, 'node')}:/usr/bin:/bin`,
    HOME: base,
    ASSENT_HOME: home,
    LANG: 'C.UTF-8',
    ...Object.fromEntries(passedOn),
  };
  return { base, home, program, environment, assent: commandOf(program, environment) };
};

const commandOf =
  (program: string, env: LentProgram['environment']): LentProgram['assent'] =>
  (...args) =>
    new Promise((resolve, reject) => {
      const child = spawn(join(program, 'bin/assent'), [...args, '--json'], { env, ...nobody });
      let [out, said] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      child.on('close', (code) =>
        code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`${args.join(' ')}: ${out} ${said}`)),
      );
    });

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
