/** What the vectors do to the files by hand, each name done to the real files. */
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logQuestion } from '../../src/consent/question.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { readState } from '../../src/instance/state.ts';
import { asInstanceName } from '../../src/values.ts';
import { conduct, type Home, makeHome, sure, testWorld } from './support.ts';

/** Returns the home to look at afterwards. */
export const tamper = async (home: Home, name: string): Promise<Home> => {
  const act = tampers[name];
  if (act === undefined) throw new Error(`nobody knows how to do ${name}`);
  return (await act(home)) ?? home;
};

// biome-ignore lint/suspicious/noConfusingVoidType: most of them look at the same home afterwards
const tampers: Record<string, (home: Home) => Promise<Home | void> | Home | void> = {
  'consent-deleted': ({ paths }) => rmSync(paths.consent),
  'consent-empty': ({ paths }) => writeFileSync(paths.consent, ''),
  'consent-truncated': ({ paths }) => truncateSync(paths.consent, readFileSync(paths.consent).length >> 1),
  'consent-nul-bytes': ({ paths }) => writeFileSync(paths.consent, Buffer.alloc(readFileSync(paths.consent).length)),
  'consent-not-json': ({ paths }) => writeFileSync(paths.consent, 'accepted: yes\n'),
  'consent-wrong-types': (home) => editRecord(home, (record) => ({ ...record, generation: '1', log: [] })),
  'consent-newer-format': (home) => editRecord(home, (record) => ({ ...record, format: 2 })),
  'consent-dated-an-hour-ahead': (home) => editRecord(home, (record) => ({ ...record, at: ahead(home, 60) })),
  'consent-dated-a-minute-ahead': (home) => editRecord(home, (record) => ({ ...record, at: ahead(home, 1) })),
  'consent-from-other-instance': async (home) => {
    const other = makeHome(home.folder, { name: 'other' });
    await conduct(other, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
    cpSync(other.paths.consent, home.paths.consent);
  },
  'log-deleted': ({ paths }) => rmSync(paths.consentLog),
  'log-truncated-by-a-line': ({ paths }) =>
    writeFileSync(paths.consentLog, readFileSync(paths.consentLog, 'utf8').replace(/[^\n]*\n$/, '')),
  'log-line-edited': ({ paths }) =>
    writeFileSync(
      paths.consentLog,
      readFileSync(paths.consentLog, 'utf8').replace('"change":"install"', '"change":"upgrade"'),
    ),
  'log-torn-after-last-decision': async ({ world, paths }) => {
    const before = readFileSync(paths.consentLog).length;
    const state = sure(readState(paths));
    await logQuestion(world, paths, { noticeId: sure(state.noticeId), version: state.release.version, account: null });
    truncateSync(paths.consentLog, (before + readFileSync(paths.consentLog).length) >> 1);
  },
  'consent-restored-from-previous-generation': (home) => restore(home, 'generation-1', ['consent.json']),
  'consent-and-log-restored-from-previous-generation': (home) =>
    restore(home, 'generation-1', ['consent.json', 'consent.log']),
  'consent-restored-from-before-withdrawal': (home) => restore(home, 'before-withdrawal', ['consent.json']),
  'instance-cloned-to-another-name': (home) => {
    const clone = instancePaths(home.folder, sure(asInstanceName('clone')));
    cpSync(home.paths.folder, clone.folder, { recursive: true, preserveTimestamps: true });
    return { ...home, paths: clone };
  },
  'home-on-another-machine': (home) => ({ ...home, world: testWorld({ machineId: 'f'.repeat(64) }) }),
  'stored-notice-altered': ({ paths }) => {
    const file = join(paths.notices, `${readState(paths)?.noticeId}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('mailbox opened', 'mailbox counted'));
  },
};

export const editRecord = ({ paths }: Home, edit: (record: Record<string, unknown>) => unknown): void =>
  writeFileSync(paths.consent, JSON.stringify(edit(JSON.parse(readFileSync(paths.consent, 'utf8'))), null, '\t'));

const ahead = (home: Home, minutes: number): string =>
  new Date(home.world.now().getTime() + minutes * 60_000).toISOString();

const restore = (home: Home, copy: string, files: string[]): void => {
  for (const file of files) cpSync(join(home.copies, copy, file), join(home.paths.folder, file));
};
