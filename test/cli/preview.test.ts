/**
 * `telemetry preview`: before a yes an example that says so beside the bytes, afterwards the very bytes that would be sent, and how many
 * numbers are there beside them. And the file that --html names: never over somebody else's.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { run as notice } from '../../src/cli/commands/telemetry-notice.ts';
import { run } from '../../src/cli/commands/telemetry-preview.ts';
import { type Flags, flagsOf } from '../../src/cli/flags.ts';
import { previewAbout } from '../../src/cli/preview-about.ts';
import { writeWindow } from '../../src/consent/window.ts';
import { examplePreview, type Preview } from '../../src/telemetry/preview.ts';
import { makeReport } from '../../src/telemetry/report.ts';
import type { Look } from '../../src/ui/look.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { isPreviewPage, previewPage } from '../../src/ui/views/preview-html.ts';
import { conduct, type Home, inMemory, makeHome, noticeOf, sure, testWorld } from '../consent/support.ts';
import { sandbox } from '../support/sandbox.ts';
import { exampleNotice } from '../telemetry/example-notice.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look at any key of the document
type Document = any;

let folder: string;
let home: Home;
/** The time of the yes. */
let now: number;
const day = (from: number) => new Date(now + from * 86_400_000).toISOString().slice(0, 10);
/** A month later: whole weeks lie between the yes and today. */
const world = () => testWorld({ now: () => new Date(now + 30 * 86_400_000), cwd: folder });
const look = (columns = 80, ascii = false): Look => ({
  paint: noPaint,
  symbols: symbolsFor(ascii ? {} : { LANG: 'C.UTF-8' }),
  columns,
});
const preview = async (operands: readonly string[], flags: Partial<Flags> = {}, seen = look()) => {
  const { result, screen } = await run({
    world: world(),
    home: home.folder,
    flags: flagsOf(flags),
    operands,
    look: seen,
    say: () => {},
  });
  return { document: result.preview as Document, screen, text: screen.join('\n') };
};
const yes = () => conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });

beforeEach(() => {
  folder = sandbox(inMemory);
  now = Date.now();
  home = makeHome(join(folder, 'home'), { world: testWorld({ now: () => new Date(now) }) });
});

describe('before a yes', () => {
  it('an answers file names the product that it is of', async () => {
    const answers = join(folder, 'answers.yaml');
    writeFileSync(answers, 'product: prosody\nsettings:\n  domain: chat.example.org\n');
    const flags = flagsOf({ answers });
    const about = { world: world(), home: home.folder, operands: [], look: look(), say: () => {} };
    expect((await notice({ ...about, flags })).result.notice).toMatchObject({ version: '13.0.1' });
    expect(JSON.stringify((await preview([], { answers })).document)).toContain('prosody');
  });

  it.each([run, notice])('which of several instances is meant is not guessed', async (command) => {
    for (const name of ['one', 'two'])
      await conduct(makeHome(home.folder, { name, world: home.world }), {
        change: 'install',
        ends: 'finished',
        answer: null,
      });
    const about = { world: world(), home: home.folder, flags: flagsOf({}), operands: [], look: look(), say: () => {} };
    await expect(command(about)).rejects.toMatchObject({ code: 'usage-name' });
  });

  it.each([run, notice])('there is none of a product without telemetry, said in 80 columns', async (command) => {
    const about = { world: world(), home: home.folder, flags: flagsOf({}), operands: ['haraka'], look: look() };
    const { screen } = await command({ ...about, say: () => {} });
    expect(screen.join(' ')).toContain('This product declares no telemetry');
    expect(screen.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([40, 80, 120])('it is an example, said in words and fitting %i columns, in ASCII too', async (columns) => {
    for (const ascii of [false, true]) {
      const { screen, text } = await preview(['maildev@3.0.0'], {}, look(columns, ascii));
      expect(text).toContain('EXAMPLE');
      expect(text.replace(/\s+/g, ' ')).toContain('nobody is sent one');
      const bytes = screen.findIndex((line) => line.startsWith('{"resourceMetrics"'));
      expect(bytes).toBeGreaterThan(10);
      expect(screen.slice(0, bytes).filter((line) => line.length > columns)).toEqual([]);
      if (ascii) expect(screen.slice(0, bytes).join('')).toMatch(/^[ -~]*$/);
      expect(stripVTControlCharacters(text)).toBe(text);
    }
  });

  it('has the same bytes on the screen, as --raw, and in the document, and no word of an example in them', async () => {
    const { document } = await preview(['maildev@3.0.0'], { json: true });
    const { text: raw } = await preview(['maildev@3.0.0'], { raw: true });
    const { text: shown } = await preview(['maildev@3.0.0']);
    expect(`${raw}\n`).toBe(document.text);
    expect(shown.endsWith(`\n${raw}`)).toBe(true);
    expect(document).toMatchObject({ example: true, endpoint: null, contentType: 'application/json' });
    expect(document.bytes).toBe(Buffer.byteLength(document.text));
    expect(document.text).not.toMatch(/example/i);
    expect(existsSync(home.folder)).toBe(false);
  });

  it('goes where the settings say', async () => {
    const set = ['telemetry.endpoint=https://collector.example.org/v1/metrics'];
    const { document, text } = await preview(['maildev@3.0.0'], { set });
    expect(document.endpoint).toBe('https://collector.example.org/v1/metrics');
    expect(text).toContain('https://collector.example.org/v1/metrics');
  });

  it.each([{ by: 'prompt', say: 'no' } as const, null])(
    'it is an example also of an installation with %o',
    async (answer) => {
      await conduct(home, { change: 'install', ends: 'finished', answer });
      expect((await preview(['mail'])).document).toMatchObject({ example: true });
    },
  );
});

describe('after a yes', () => {
  const put = (at: string, total: number, file = 'a') => {
    const part = {
      format: 1,
      noticeId: sure(noticeIdNow()),
      day: at,
      counters: [{ name: 'mailbox-opened', total, browser: { firefox: total }, hour: {} }],
    };
    writeFileSync(join(home.paths.counts, `${at}.${file.repeat(16)}.json`), JSON.stringify(part));
    return part as never;
  };
  const noticeIdNow = () => JSON.parse(readFileSync(home.paths.state, 'utf8')).noticeId as string;
  /** A Monday behind the day of consent, so that all days of it are of one week. */
  const monday = () => sure([1, 2, 3, 4, 5, 6, 7].map(day).find((at) => new Date(at).getUTCDay() === 1));
  const behind = (at: string, days: number) => new Date(Date.parse(at) + days * 86_400_000).toISOString().slice(0, 10);

  beforeEach(async () => {
    await yes();
    mkdirSync(home.paths.counts, { recursive: true });
    writeWindow(home.paths, { generation: 1, since: new Date(now).toISOString() });
  });

  it('it is the real numbers, of the days that may be reported, and tells what else is there', async () => {
    const first = monday();
    const parts = [put(first, 40), put(first, 7, 'b'), put(behind(first, 2), 12)];
    put(day(0), 30);
    put(behind(first, 7), 20);
    put(day(30), 50);
    const { document, text } = await preview(['mail']);
    const about = { notice: noticeOf('2.2.1'), version: '2.2.1' };
    expect(document.text).toBe(Buffer.from(sure(makeReport(about, parts)).bytes).toString('utf8'));
    expect(document).toMatchObject({ example: false, from: first, to: behind(first, 2), numbers: 4 });
    expect(document.aside).toEqual({ unfinished: 2, never: 2, later: 2 });
    expect(text).not.toContain('EXAMPLE');
    expect(text).toContain('2 numbers of a day that is not over');
    expect(text).toMatch(/mailbox opened +59 /);
  });

  it('a day that was reported already is not reported again', async () => {
    const first = monday();
    put(first, 40);
    put(behind(first, 2), 12);
    mkdirSync(home.paths.reports, { recursive: true });
    writeFileSync(join(home.paths.reports, `report-${first}_${first}.json`), '{}');
    const { document } = await preview(['mail']);
    expect(document).toMatchObject({ from: behind(first, 2), to: behind(first, 2), aside: { never: 2 } });
  });

  it('without a window nothing may be reported, and without a number there is no report', async () => {
    expect((await preview(['mail'])).document).toMatchObject({ example: false, bytes: 0, text: '' });
    put(monday(), 40);
    writeFileSync(home.paths.window, '');
    const { document, text } = await preview(['mail']);
    expect(document).toMatchObject({ example: false, bytes: 0, text: '', aside: { never: 2 } });
    expect(text).toContain('nothing yet');
    expect((await preview(['mail'], { raw: true })).screen).toEqual([]);
  });

  it('it is an example again once it was withdrawn', async () => {
    put(monday(), 40);
    await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'no' } });
    expect((await preview(['mail'])).document).toMatchObject({ example: true });
  });
});

describe('--html', () => {
  const html = (file: string) => preview(['maildev@3.0.0'], { html: file });

  it('writes a page, and replaces it later', async () => {
    const file = join(folder, 'report.html');
    expect((await html('report.html')).text).toContain(file);
    const page = readFileSync(file, 'utf8');
    expect(isPreviewPage(page)).toBe(true);
    await html(file);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });

  it('never replaces what is no earlier preview', async () => {
    const file = join(folder, 'mine.html');
    writeFileSync(file, '<!doctype html>\n<p>mine</p>');
    symlinkSync(file, join(folder, 'link.html'));
    await expect(html(file)).rejects.toMatchObject({ code: 'usage-option', message: expect.stringContaining(file) });
    for (const other of ['link.html', '.', 'nowhere/x.html', '/dev/null'])
      await expect(html(other), other).rejects.toMatchObject({ code: 'usage-option' });
    expect(readFileSync(file, 'utf8')).toBe('<!doctype html>\n<p>mine</p>');
  });

  const script = 'document.title = "</script><!--";';
  const pageOf = (change: Partial<Preview['notice']> = {}) =>
    previewPage(examplePreview({ ...exampleNotice, ...change }, '3.0.0'), script);

  it('has a policy that allows its own style and script, and nothing else', () => {
    const page = pageOf();
    const policy = sure(/Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]);
    const digest = (pattern: RegExp) =>
      `'sha256-${createHash('sha256')
        .update(sure(pattern.exec(page)?.[1]))
        .digest('base64')}'`;
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      `script-src ${digest(/<script>([\s\S]*?)<\/script>/)}`,
      `style-src ${digest(/<style>([\s\S]*?)<\/style>/)}`,
    ]);
    expect(page.match(/<script|<style|<\/script/g)).toEqual(['<style', '<script', '</script']);
    expect(page).not.toMatch(/\b(?:src|href|action)=/);
  });

  it('shows what comes from a manifest as text', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const [counter] = exampleNotice.counters;
    const page = pageOf({ title: evil, counters: [{ ...sure(counter), title: evil }] });
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
  });
});

it('a product without counters has no report', async () => {
  const about = { world: world(), home: home.folder, flags: flagsOf({}), look: look(), say: () => {} };
  expect(await previewAbout({ ...about, operands: ['haraka'] })).toBeNull();
});
