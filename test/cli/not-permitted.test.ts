/**
 * What a user is told of telemetry that root has installed: never "off" of what this user may not read. The real command, as nobody, on a home of
 * root's; the system's own home is one of a mount namespace. Skipped, with the reason printed, where the tests do not run as root.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { conduct, type Home, makeHome } from '../consent/support.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

const canMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!canMount)
  console.log('skipped: what nobody may read is looked at in a mount namespace, which needs root and unshare');

const account = { name: 'daemon', uid: 1, gid: 1, made: false };
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
let home: Home;

/** As an installation of root's with a yes leaves it: the folder open, what is on record for root and the server's account alone. */
beforeEach(async () => {
  if (!canMount) return;
  home = makeHome(join(sandbox(), 'assent'), { account });
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
});

const command = (args: readonly string[], user = nobody) => {
  const script = 'mount --bind "$0" /var/lib && exec "$@"';
  const assent = [process.execPath, resolve('dist/main.mjs'), ...args];
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', script, dirname(home.folder), ...user, ...assent],
    { encoding: 'utf8', cwd: '/', env: { PATH: process.env.PATH, HOME: '/nonexistent', LANG: 'C.UTF-8' } },
  );
  return { exit: status, stdout, stderr };
};

const documentOf = (args: readonly string[], user = nobody) => {
  const { exit, stdout } = command([...args, '--json'], user);
  return { exit, document: JSON.parse(stdout) };
};

describe.skipIf(!canMount)('who may not read what is on record', () => {
  it.each(['status', 'status --exit-code', 'receipt', 'history'])(
    'is refused by telemetry %s, and told that root may',
    (words) => {
      const [word = '', ...more] = words.split(' ');
      const asked = ['telemetry', word, 'mail', ...more];
      const { exit, document } = documentOf(asked);
      expect({ exit, code: document.error?.code }).toEqual({ exit: 3, code: 'refused-permission' });
      expect(document.error.advice).toContain('as root');
      expect(document.consent).toBeUndefined();
      const { stdout, stderr } = command(asked);
      expect(stdout).toBe('');
      expect(stderr).not.toMatch(/\boff\b|never/);
    },
  );

  it.each(['instance.json', 'consent.json', 'consent.log'])('is refused where only %s is closed', (closed) => {
    for (const file of ['instance.json', 'consent.json', 'consent.log'])
      chmodSync(join(home.paths.folder, file), file === closed ? 0o640 : 0o644);
    for (const word of ['status', 'receipt'])
      expect(documentOf(['telemetry', word, 'mail']).document.error?.code).toBe('refused-permission');
  });

  it('is refused where only the mark beside the locks is closed', () => {
    for (const file of ['instance.json', 'consent.json', 'consent.log'])
      chmodSync(join(home.paths.folder, file), 0o644);
    for (const word of ['status', 'receipt'])
      expect(documentOf(['telemetry', word, 'mail']).document.error?.code).toBe('refused-permission');
  });

  it('gets a list with an unknown in it, which is no quiet one', () => {
    const { exit, document } = documentOf(['telemetry', 'status', '--exit-code']);
    expect(exit).toBe(3);
    expect(document.instances).toEqual([expect.objectContaining({ name: 'mail', product: 'unknown', version: null })]);
    expect(JSON.stringify(document)).not.toContain('"collecting"');
    const { exit: plain, stdout } = command(['telemetry', 'status']);
    expect(plain).toBe(0);
    expect(stdout).toMatch(/collecting +unknown/);
    expect(stdout).toContain('as root');
  });

  it('is told of a closed home that root is needed to see into it', () => {
    chmodSync(join(home.folder, 'instances'), 0o700);
    const { exit, document } = documentOf(['telemetry', 'status', '--exit-code']);
    expect({ exit, hints: document.hints }).toEqual({ exit: 3, hints: [expect.stringContaining('root is needed')] });
    const { exit: plain, stdout } = command(['telemetry', 'status']);
    expect(plain).toBe(0);
    expect(stdout).toContain('root is needed');
    expect(stdout).not.toContain('nothing is counted');
  });

  it("the server's account is told how it stands, and no never of reports that it may not see", () => {
    const own = ['setpriv', '--reuid=1', '--regid=1', '--clear-groups'];
    mkdirSync(home.paths.reports, { mode: 0o700 });
    mkdirSync(home.paths.spool, { mode: 0o700, recursive: true });
    chmodSync(home.paths.telemetry, 0o711);
    mkdirSync(home.paths.counts);
    chownSync(home.paths.counts, 1, 1);
    const asked = ['telemetry', 'status', 'mail', '--home', home.folder];
    const { consent } = documentOf(asked, own).document;
    expect(consent).toMatchObject({ state: 'accepted', collecting: true });
    expect(consent).not.toHaveProperty('lastReport');
    expect(consent).not.toHaveProperty('bytesWaiting');
    const { stdout } = command(asked, own);
    expect(stdout).toMatch(/last report +unknown/);
    expect(stdout).not.toContain('never');
    const seen = documentOf(asked, []).document.consent;
    expect(seen).toMatchObject({ lastReport: null, bytesWaiting: 0 });
  });
});

describe.skipIf(!canMount)("who has nothing of his own, beside an instance of root's", () => {
  const yes = ['--yes', '--telemetry=off'];
  const commands = [
    ...[['stop'], ['recover'], ['run'], ['telemetry', 'send'], ['telemetry', 'prove'], ['telemetry', 'off']],
    ...['reinstall', 'upgrade', 'rollback', 'uninstall'].map((word) => [word, ...yes]),
  ];

  it.each(commands)('is told that root is needed for it: %s %s', (...words) => {
    for (const name of [['mail'], []]) {
      const [first = '', ...more] = words.filter((word) => word !== undefined);
      const isGroup = first === 'telemetry';
      const [at, rest] = isGroup ? [[first, more[0] ?? ''], more.slice(1)] : [[first], more];
      const { exit, document } = documentOf([...at, ...name, ...rest]);
      expect({ exit, code: document.error?.code }, words.join(' ')).toEqual({ exit: 3, code: 'refused-permission' });
      expect(document.error.message).toContain('root is needed');
    }
  });

  it('is not told that all is withdrawn, nor that all is well', () => {
    const { exit, document } = documentOf(['telemetry', 'off', '--all']);
    expect({ exit, code: document.error?.code }).toEqual({ exit: 3, code: 'refused-permission' });
    expect(command(['telemetry', 'off', '--all']).stderr).toContain('mail is an instance of the system');
    const looked = documentOf(['doctor']).document;
    expect(looked.hints).toEqual([expect.stringContaining('root is needed')]);
    expect(command(['doctor']).stdout).toContain('root is needed');
  });

  it('is told where he names a home of his own that nothing is installed there', () => {
    const empty = ['--home', join(sandbox(), 'empty')];
    expect(command(['telemetry', 'off', '--all', ...empty])).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('Nothing is installed in'),
    });
    expect(documentOf(['upgrade', 'mail', ...yes, ...empty])).toMatchObject({ exit: 10 });
  });
});
