import { describe, expect, it } from 'vitest';
import { mergeFile } from '../../src/change/merge.ts';

const base = 'listen=127.0.0.1\nport=25\n\n# limits\nmax=10\n';
const edited = base.replace('max=10', 'max=99');
const moved = base.replace('port=25', 'port=2525');

describe('three-way merge of one configuration file', () => {
  it('takes the new text where nobody edited', () => {
    expect(mergeFile(base, base, moved)).toEqual({ kind: 'write', content: moved, merged: false });
  });

  it('keeps a local edit where we change nothing', () => {
    expect(mergeFile(base, edited, base)).toEqual({ kind: 'write', content: edited, merged: true });
  });

  it('joins both where they touch different lines', () => {
    const both = moved.replace('max=10', 'max=99');
    expect(mergeFile(base, edited, moved)).toEqual({ kind: 'write', content: both, merged: true });
  });

  it('is a conflict where both change the same line, and hands out both texts', () => {
    const local = base.replace('port=25', 'port=26');
    expect(mergeFile(base, local, moved)).toEqual({ kind: 'conflict', local, wanted: moved });
  });

  it('is no conflict where both made the same change', () => {
    expect(mergeFile(base, moved, moved)).toEqual({ kind: 'write', content: moved, merged: false });
  });

  it.each([
    ['a new file that nobody has', undefined, undefined, base, { kind: 'write', content: base, merged: false }],
    ['a file of ours that is no longer wanted', base, base, undefined, { kind: 'absent' }],
    [
      'an edited file that is no longer wanted stays',
      base,
      edited,
      undefined,
      { kind: 'write', content: edited, merged: true },
    ],
    ['a file that was deleted here, and that we do not change', base, undefined, base, { kind: 'absent' }],
    [
      'a file that was deleted here, and that we change',
      base,
      undefined,
      moved,
      { kind: 'conflict', local: '', wanted: moved },
    ],
    [
      'a file of the same name that was never ours',
      undefined,
      edited,
      base,
      { kind: 'conflict', local: edited, wanted: base },
    ],
  ])('%s', (_, before, local, wanted, expected) => {
    expect(mergeFile(before, local, wanted)).toEqual(expected);
  });

  it('survives files without a newline at their end and with carriage returns', () => {
    expect(mergeFile('a\r\nb', 'a\r\nb\r\nlocal', 'A\r\nb')).toMatchObject({ kind: 'conflict' });
    expect(mergeFile('1\n2\n3\n4\n5', '1\n2\n3\n4\n5!', '1!\n2\n3\n4\n5')).toEqual({
      kind: 'write',
      content: '1!\n2\n3\n4\n5!',
      merged: true,
    });
  });
});
