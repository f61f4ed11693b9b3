import { expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { documentOf } from '../../src/ui/json.ts';

it('leaves out what a command has nothing for', () => {
  expect(JSON.parse(documentOf('status', { outcome: 'unchanged', changed: false }, undefined))).toEqual({
    schema: 'assent/1',
    command: 'status',
    ok: true,
    outcome: 'unchanged',
    changed: false,
  });
});

it.each([
  ['usage-option', 'refused', false, 2],
  ['download-failed', 'refused', false, 5],
  ['change-undone', 'undone', false, 6],
  ['change-stuck', 'failed', true, 7],
  ['cancelled', 'refused', false, 130],
] as const)('tells %s as %s', (code, outcome, changed, exit) => {
  const document = JSON.parse(documentOf('upgrade', undefined, new Failure(code, 'What happened.', 'What to do.')));
  expect(document).toEqual({
    schema: 'assent/1',
    command: 'upgrade',
    ok: false,
    outcome,
    changed,
    error: { code, message: 'What happened.', advice: 'What to do.', exit },
  });
});

it.each([
  ['of a change that is open itself', true, 'failed', true],
  ['of what is refused because such a change waits', false, 'refused', false],
] as const)('tells change-interrupted %s apart', (_, isOpen, outcome, changed) => {
  const failure = new Failure('change-interrupted', 'What happened.', 'What to do.', undefined, isOpen);
  expect(JSON.parse(documentOf('upgrade', undefined, failure))).toMatchObject({ outcome, changed, error: { exit: 8 } });
});

it('tells a bug as one, on one line', () => {
  const text = documentOf('upgrade', undefined, new TypeError('x is not a function\nreally'));
  expect(text.split('\n')).toHaveLength(2);
  const { error, outcome } = JSON.parse(text);
  expect(error).toMatchObject({ code: 'bug', exit: 1 });
  expect(error.message).toContain('x is not a function');
  expect(error.advice).toContain('--verbose');
  expect(outcome).toBe('failed');
});
