import { describe, expect, it } from 'vitest';
import { loadPaint, noPaint, symbolsFor, wantsColour } from '../../src/ui/paint.ts';

describe('colour', () => {
  const cases: [string, Record<string, string>, boolean, boolean, boolean][] = [
    ['a terminal', {}, true, true, true],
    ['no terminal', {}, true, false, false],
    ['--no-color', { FORCE_COLOR: '1' }, false, true, false],
    ['NO_COLOR', { NO_COLOR: '1' }, true, true, false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true, true, true],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, true, false, true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, true, false],
    ['NO_COLOR before FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, true, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, true, false],
  ];
  it.each(cases)('with %s', (_, environment, flag, isTerminal, wanted) => {
    expect(wantsColour(environment, flag, isTerminal)).toBe(wanted);
  });

  it('is not even loaded where it is not wanted', async () => {
    expect(await loadPaint(false)).toBe(noPaint);
  });

  it('paints one text, whatever else a callback is given', async () => {
    const { strong } = await loadPaint(true);
    expect((strong as (text: string, more: string) => string)('port', 'idle')).toBe('\u001b[1mport\u001b[22m');
  });
});

it('symbols are ASCII unless the locale says UTF-8', () => {
  expect(symbolsFor({ LANG: 'de_DE.UTF-8' }).done).toBe('✔');
  expect(symbolsFor({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }).done).toBe('+');
  for (const symbol of Object.values(symbolsFor({})).flat()) expect(symbol).toMatch(/^[ -~]+$/);
});
