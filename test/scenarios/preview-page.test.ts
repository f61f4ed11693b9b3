/**
 * The preview's page in a real browser: its charts are drawn, everything can be read without script, it is dark where the reader wants it so,
 * and nothing leaves it, not even what somebody would try from inside of it.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chromium, noChromium } from '../support/chromium.ts';
import { endScenario, makeScenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';

if (noChromium !== undefined) console.log(`skipped: the preview's page in a browser, for ${noChromium}`);

let page: string;
beforeAll(async () => {
  const world = await makeScenario([]);
  page = join(world.folder, 'report.html');
  const { exit, stderr } = await world.run(['telemetry', 'preview', 'maildev@3.0.0', '--html', page]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  return () => endScenario(world);
});

const opened = async (options: Parameters<typeof chromium>[0] = {}, file = page) => {
  const context = await chromium({ viewport: { width: 1000, height: 900 }, ...options });
  const requests: string[] = [];
  const problems: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  const tab = context.pages()[0] ?? (await context.newPage());
  tab.on('console', (message) => problems.push(message.text()));
  tab.on('pageerror', (error) => problems.push(error.message));
  await tab.goto(`file://${file}`);
  return { tab, requests, problems };
};

/** How many pixels of each chart have the colour that bars have. */
const barPixels = (tab: Page): Promise<number[]> =>
  tab.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const probe = document.createElement('i');
    probe.style.color = getComputedStyle(document.documentElement).getPropertyValue('--bar');
    document.body.append(probe);
    const bar = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at] === bar[0] && data[at + 1] === bar[1] && data[at + 2] === bar[2] && data[at + 3] === 255) found += 1;
    return found;
  })`);

const background = (tab: Page): Promise<string> => tab.evaluate(`getComputedStyle(document.body).backgroundColor`);

describe.skipIf(noChromium !== undefined)('the page', () => {
  it('draws its charts, says that it is an example, and asks for nothing', async () => {
    const { tab, requests, problems } = await opened();
    const pixels = await barPixels(tab);
    expect(pixels).toHaveLength(4);
    for (const count of pixels) expect(count).toBeGreaterThan(5_000);
    expect(await tab.locator('.example').textContent()).toContain('EXAMPLE');
    expect(requests).toEqual([`file://${page}`]);
    expect(problems).toEqual([]);
    if (process.env.ASSENT_PICTURES) await tab.screenshot({ path: process.env.ASSENT_PICTURES, fullPage: true });
  });

  it('is dark where the reader wants it, also while it is open', async () => {
    const { tab } = await opened({ colorScheme: 'light' });
    const light = await background(tab);
    await tab.emulateMedia({ colorScheme: 'dark' });
    expect(await background(tab)).not.toBe(light);
    // Drawn anew in a frame of its own.
    await eventually(async () => {
      for (const count of await barPixels(tab)) expect(count).toBeGreaterThan(5_000);
    });
  });

  it('can be read without script: every number, and the bytes as they are', async () => {
    const { tab } = await opened({ javaScriptEnabled: false });
    expect(await tab.locator('canvas').count()).toBe(0);
    expect(await tab.locator('#counters table').isVisible()).toBe(true);
    expect(await tab.locator('#counters').textContent()).toMatch(/mailbox opened\s*\d+/);
    expect(await tab.locator('#hours').textContent()).toMatch(/08\s*\d+/);
    const shown = JSON.parse((await tab.locator('#bytes pre').textContent()) ?? '');
    const points = shown.resourceMetrics[0].scopeMetrics[0].metrics.flatMap(
      ({ sum }: { sum: { dataPoints: unknown[] } }) => sum.dataPoints,
    );
    expect(await tab.locator('#numbers tbody tr').count()).toBe(points.length);
  });

  it('lets nothing out, whatever is tried inside of it; a page without its policy does', async () => {
    const seen: string[] = [];
    const server = createServer((request, answer) => {
      seen.push(request.url ?? '');
      answer.setHeader('access-control-allow-origin', '*').end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const attempt = `Promise.allSettled([
      fetch('${address}/fetch'),
      new Promise((done) => { const image = new Image(); image.onload = image.onerror = done; image.src = '${address}/image'; }),
      Promise.resolve(navigator.sendBeacon('${address}/beacon', 'x')),
      new Promise((done) => { const link = document.createElement('link'); link.rel = 'stylesheet'; link.href = '${address}/style'; link.onload = link.onerror = done; document.head.append(link); }),
    ]).then(() => new Promise((done) => setTimeout(done, 300)))`;
    const { tab } = await opened();
    await tab.evaluate(attempt);
    expect(seen).toEqual([]);

    const open = page.replace('.html', '.open.html');
    writeFileSync(open, '<!doctype html><title>open</title><body>');
    const { tab: other } = await opened({}, open);
    await other.evaluate(attempt);
    await expect.poll(() => [...seen].sort()).toEqual(['/beacon', '/fetch', '/image', '/style']);
  });
});
