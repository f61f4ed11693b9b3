/** Units as systemd itself judges them: its security rating, its verifier, and its own parser on awkward words. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { renderUnit, unitName } from '../../src/service/unit.ts';
import { assignment, commandLine, listedPath, plainPath, plainText } from '../../src/service/unit-text.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { makeService } from '../support/service.ts';

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyze) console.log('skipped: the tests of units need systemd-analyze (Debian: apt-get install systemd)');

const account = { name: 'daemon', uid: 1, gid: 1, made: true };

const specOf = async (changes: Partial<ServiceSpec> = {}, uid = 0): Promise<ServiceSpec> => {
  const { spec } = makeService(sandbox(), await freePort(), 'web.mjs', []);
  return { ...spec, account: uid === 0 ? account : null, host: { ...spec.host, uid }, ...changes };
};

const unitFileOf = (spec: ServiceSpec): string => {
  const folder = join(spec.paths.home, 'units');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, unitName(spec.instance));
  writeFileSync(file, renderUnit(spec));
  return file;
};

/** `--user` wants a folder for a manager's sockets, which there is none of without a session. */
const analyze = (...args: string[]) =>
  spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: sandbox() } });

test.runIf(hasAnalyze).each([
  ['a Node server', {}],
  ['one with a port below 1024', { ports: [25] }],
])('%s is exposed at most 1.5', async (_, changes) => {
  const { status, stdout, stderr } = analyze(
    'security',
    '--offline=true',
    '--threshold=15',
    unitFileOf(await specOf(changes)),
  );
  expect(status, stdout + stderr).toBe(0);
});

test.runIf(hasAnalyze).each([
  ['a system unit', {}, 0],
  ['a user unit', {}, 1000],
  ['a port below 1024', { ports: [25] }, 0],
  ['no code made at run time', { jit: false }, 0],
  [
    'everything at once',
    { prepare: [['/bin/true', 'a b', '%n', '$HOME']], environmentFile: '/etc/hostname', stopSignal: 'SIGQUIT' },
    0,
  ],
] as const)('systemd has nothing to say about %s', async (_, changes, uid) => {
  const spec = await specOf(changes as Partial<ServiceSpec>, uid);
  const { status, stdout, stderr } = analyze('verify', '--man=no', ...(uid === 0 ? [] : ['--user']), unitFileOf(spec));
  const ours = (stdout + stderr).split('\n').filter((line) => line.includes(unitName(spec.instance)));
  expect(ours).toEqual([]);
  expect(status).toBe(0);
});

test.runIf(hasAnalyze)('systemd does complain about a unit that is wrong: the check above can fail', async () => {
  const file = unitFileOf(await specOf());
  writeFileSync(file, 'Nonsense=yes\n', { flag: 'a' });
  expect(analyze('verify', '--man=no', file).stderr).toContain('Nonsense');
});

test('only data, logs, run and the counts can be written', async () => {
  const spec = await specOf();
  const { data, logs, run, counts } = spec.paths;
  expect(renderUnit(spec)).toContain(`\nReadWritePaths="${data}" "-${logs}" "-${run}" "-${counts}"\n`);
  expect(renderUnit(spec)).toContain('\nProtectSystem=strict\n');
  expect(renderUnit(spec)).not.toContain('MemoryDenyWriteExecute');
  expect(renderUnit(await specOf({ jit: false }))).toContain('\nMemoryDenyWriteExecute=yes\n');
});

test('a system unit without an account is refused: a server never runs as root', async () => {
  const spec = await specOf({ account: null });
  expect(() => renderUnit(spec)).toThrow(/never runs as root/);
});

test('the program that keeps telemetry off is run before each start', async () => {
  const ownTelemetry = {
    summary: '',
    on: false,
    edits: [{ file: '/x.json', set: { telemetry: false } }],
    environment: {},
    readBack: { from: { file: '/x.json' }, path: 'telemetry', off: false, on: true },
    restart: false,
  };
  const spec = await specOf({ ownTelemetry, jit: false });
  const unit = renderUnit(spec);
  const { node, main } = spec.host.program!;
  expect(unit).toContain(
    `\nExecStartPre="${node}" "${main}" "run" "mail" "--home" "${spec.paths.home}" "--prepare-only"\n`,
  );
  expect(unit).not.toContain('MemoryDenyWriteExecute');
});

test.each([
  ['%n $HOME "a" \\b', '"%%n $$HOME \\"a\\" \\\\b"'],
  ['a\nb\tc', '"a\\x0ab\\x09c"'],
  [';', '";"'],
  ['', '""'],
  ['ü€', '"ü€"'],
])('the word %j becomes %s', (word, text) => {
  expect(commandLine(['/bin/echo', word])).toBe(`"/bin/echo" ${text}`);
});

test('the program keeps its $, other readings keep theirs', () => {
  expect(commandLine(['/opt/$x/50%'])).toBe('"/opt/$x/50%%"');
  expect(assignment('A', '$x "%i"')).toBe('"A=$x \\"%%i\\""');
  expect(listedPath('/a b/"c"\\%')).toBe('"/a b/\\"c\\"\\\\%%"');
  expect(plainPath('/a b/"c"/50%')).toBe('/a b/"c"/50%%');
  expect(plainText('50%\nof it\\')).toBe('50%% of it');
});

test('what can not be written is an error', () => {
  expect(() => plainPath('/a\nb')).toThrow();
  expect(() => plainPath('/a ')).toThrow();
  expect(() => listedPath('/a\nb')).toThrow();
  expect(() => commandLine(['/bin/a', 'a\0b'])).toThrow();
});

test('what a release sets of its own is not taken away with what a manager hands down', async () => {
  const unset = (text: string): string => /^UnsetEnvironment=(.*)$/m.exec(text)?.[1] ?? '';
  expect(unset(renderUnit(await specOf()))).toContain('LD_LIBRARY_PATH');
  const text = renderUnit(await specOf({ environment: { LD_LIBRARY_PATH: '/release/lib' } }));
  expect(unset(text)).not.toContain('LD_LIBRARY_PATH');
  expect(unset(text)).toContain('LD_PRELOAD');
  expect(text).toContain('LD_LIBRARY_PATH=/release/lib');
});
