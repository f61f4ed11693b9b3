/** The renderings of progress, each in a process of its own: on a narrow terminal, through a pipe, quietly, beside a JSON document. */
import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from 'node-pty';
import { describe, expect, it } from 'vitest';

const program = new URL('../support/rendering-main.ts', import.meta.url).pathname;
const env = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', TERM: 'xterm-256color' };

const piped = (...flags: string[]) => spawnSync(process.execPath, [program, ...flags], { env, encoding: 'utf8' });

const shown = (columns: number, more: Record<string, string> = {}): Promise<string> =>
  new Promise((resolve) => {
    const pty = spawn(process.execPath, [program], { cols: columns, rows: 24, env: { ...env, ...more } });
    let written = '';
    pty.onData((data) => {
      written += data;
    });
    pty.onExit(() => resolve(written));
  });

describe('on a terminal', () => {
  it.each([40, 80, 120])('of %i columns nothing wraps, and finished steps stay', async (columns) => {
    const raw = await shown(columns);
    const drawn = raw
      .replaceAll('\r\u001b[2K', '\n')
      .split(/\r?\n/)
      .map((line) => stripVTControlCharacters(line));
    expect(drawn.filter((line) => line.length > columns)).toEqual([]);
    expect(drawn.filter((line) => /\d+(\.\d)? MB of 31 MB/.test(line)).length).toBeGreaterThan(3);
    const text = stripVTControlCharacters(raw);
    expect(text).toMatch(/✔ fetch +8\.1 s +31 MB\r?\n/);
    expect(text).toContain('✖ health');
    expect(text).toContain('↩ start');
    expect(raw).not.toContain('\u001b[2J');
    expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThan(raw.lastIndexOf('\u001b[?25l'));
  });

  it('that knows no UTF-8 gets ASCII', async () => {
    const raw = await shown(80, { LANG: 'C', NO_COLOR: '1' });
    expect(raw).toMatch(/^\P{Cn}*$/u);
    expect(stripVTControlCharacters(raw).replace(/[\r\n]/g, '')).toMatch(/^[ -~]*$/);
    expect(raw).not.toContain('\u001b[3');
  });
});

describe('without a terminal', () => {
  it('is a line a step, and warnings go to standard error', () => {
    const { stdout, stderr } = piped();
    expect(stdout.split('\n').filter((line) => line.includes('fetch'))).toEqual(['  ✔ fetch       8.1 s']);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('MB of');
    expect(stderr).toContain('A warning. What to do about it.');
    expect(stderr).toContain('it answered nonsense');
  });

  it('says with --verbose when a step begins', () => {
    expect(piped('verbose').stdout).toMatch(/· fetch +a title/);
  });

  it('says nothing but warnings and errors with --quiet', () => {
    const { stdout, stderr } = piped('quiet');
    expect(stdout).toBe('');
    expect(stderr).toContain('A warning.');
  });

  it('leaves standard output to the document with --json', () => {
    const { stdout, stderr } = piped('json');
    expect(stdout).toBe('');
    expect(stderr).toContain('✔ fetch');
  });
});
