/** The deliberate faults: what each does to the source, and what has to notice it. A text that is not in its file any more fails the attack. */

import type { CallMade } from '../strace.ts';
import { healthCounts, type Look, lastWritesArrive, secretsAreKept, syncedAtOnce, undoneBackwards } from './looks.ts';

export interface Sabotage {
  readonly name: string;
  readonly file: string;
  /** Each text is there once, and becomes the other. */
  readonly changes: readonly (readonly [search: string, replace: string])[];
  readonly caught: Catcher;
}

/** `seen`: what has to be in the failure. */
export type Catcher = {
  readonly seen: RegExp;
} /** An upgrade that is killed right before this call (or in which it fails, with `error`), and recovered. */ & (
  | { readonly at: (call: CallMade, index: number, all: readonly CallMade[]) => boolean; readonly error?: string }
  | { readonly look: Look }
  /** A test of the file fails. */
  | { readonly test: string }
);

/** The sync behind the line that begins the step: unlike those of writes its number is the same in every run. */
const begin =
  (step: string) =>
  ({ call }: CallMade, index: number, all: readonly CallMade[]): boolean =>
    call === 'fsync' && all[index - 1]?.line.includes(`"entry\\":\\"begin\\",\\"step\\":\\"${step}\\"`) === true;

/** A rename of this part onto its place. */
const switching =
  (part: string) =>
  ({ call, line }: CallMade): boolean =>
    call.startsWith('rename') && line.includes(`/${part}.next", `);

export const sabotages: readonly Sabotage[] = [
  {
    name: 'a sync left out',
    file: 'src/system/append.ts',
    changes: [['    fsyncSync(fd);\n', '']],
    caught: { look: syncedAtOnce, seen: /synced before fsync\(/ },
  },
  {
    name: 'a failed sync ignored',
    file: 'src/system/append.ts',
    changes: [['    fsyncSync(fd);\n', '    try {\n      fsyncSync(fd);\n    } catch {}\n']],
    caught: {
      at: ({ call, line }) => call === 'fsync' && line.includes('open.jsonl'),
      error: 'EIO',
      seen: /no success after a failed fsync/,
    },
  },
  {
    name: 'steps undone in the order in which they were done',
    file: 'src/change/transaction.ts',
    changes: [['transactionSteps(ctx).toReversed()', 'transactionSteps(ctx)']],
    caught: { look: undoneBackwards, seen: /undoing it failed too/ },
  },
  {
    name: 'a step noted behind itself',
    file: 'src/change/transaction.ts',
    changes: [
      ["  appendEntry(ctx.world, ctx.paths, { entry: 'begin', step: step.id });\n", ''],
      [
        "  appendEntry(ctx.world, ctx.paths, { entry: 'done', step: step.id });\n",
        "  appendEntry(ctx.world, ctx.paths, { entry: 'begin', step: step.id });\n  appendEntry(ctx.world, ctx.paths, { entry: 'done', step: step.id });\n",
      ],
    ],
    caught: { at: switching('config'), seen: /undoing it failed too[\s\S]*server\.env\s+is missing/ },
  },
  {
    name: 'data replaced without a backup',
    file: 'src/change/steps/parts.ts',
    changes: [
      [
        '    renameDurably(path, kept);\n',
        "    process.getBuiltinModule('node:fs').rmSync(path, { recursive: true });\n",
      ],
    ],
    caught: { at: begin('current'), seen: /undoing it failed too[\s\S]*db\.json/ },
  },
  {
    name: 'the second copy left out',
    file: 'src/change/steps/parts.ts',
    changes: [
      [
        '    await updateTree(ctx.paths.data, nextOf(ctx.paths,',
        '    if (process.pid === 0) await updateTree(ctx.paths.data, nextOf(ctx.paths,',
      ],
    ],
    caught: { look: lastWritesArrive, seen: /written while the first copy stood/ },
  },
  {
    name: 'health ignored',
    file: 'src/change/steps/service.ts',
    changes: [['  if (report.healthy) return;\n', '  if (process.pid !== 0) return;\n']],
    caught: { look: healthCounts, seen: /AssertionError[^\n]* exit 0: / },
  },
  {
    name: 'the yes of before kept over an undone upgrade',
    file: 'src/change/steps/consent.ts',
    changes: [
      ['    raiseState(ctx);\n    warnOf(ctx, await voidGeneration(ctx.world, ctx.paths, raiseOf(ctx)));\n', ''],
      [
        '    // Undone also where it was never begun, and then what was counted before is still there.\n    await eraseQuietly(ctx);\n    await nothingCounts(ctx);\n',
        '',
      ],
    ],
    caught: { at: begin('generation'), seen: /"accepted"[^\n]* on the old side, begun/ },
  },
  {
    name: 'secrets for everybody to read',
    file: 'src/change/configure.ts',
    changes: [
      ['Object.fromEntries(secrets), () => ({ mode: 0o600 })', 'Object.fromEntries(secrets), () => ({ mode: 0o644 })'],
    ],
    caught: { look: secretsAreKept, seen: /token is for its owner alone/ },
  },
  {
    name: 'leftovers of a killed run kept',
    file: 'src/change/recover.ts',
    changes: [['return (await removeLeftovers(ports, paths)) || unopened;', 'return unopened;']],
    caught: { at: ({ call, line }) => call === 'mkdir' && line.includes('/config.base.next"'), seen: /'config\.next'/ },
  },
  {
    name: 'the lock skipped',
    file: 'src/change/hold.ts',
    changes: [
      [
        '    throw busy(paths, attempt.heldBy);\n',
        '    return { following: (ports) => ports, release: () => undefined };\n',
      ],
    ],
    caught: { test: 'test/change/hold.test.ts', seen: /FAIL [^\n]* > one at a time, and the other is told/ },
  },
  {
    name: 'the digest of a journal line unchecked',
    file: 'src/instance/unfinished.ts',
    changes: [["if (line[16] !== ' ' || digestOf(json) !== line.slice(0, 16)) return", "if (line[16] !== ' ') return"]],
    caught: {
      test: 'test/change/journal.test.ts',
      seen: /(×|FAIL [^\n]* >) is damaged, never absent: a flipped bit/,
    },
  },
  {
    name: 'the reserve kept when an undo begins',
    file: 'src/change/journal.ts',
    changes: [
      [
        "  if (entry.entry === 'undo' || (entry.entry === 'resume' && entry.towards === 'undo')) removeReserve(paths);\n",
        '',
      ],
    ],
    caught: { test: 'test/change/journal.test.ts', seen: /FAIL [^\n]* > gives its reserve back when an undo begins/ },
  },
];
