import { expect, test } from 'vitest';
import { browserOf, makeBrowserReader } from '../../../src/telemetry/counting/browser.ts';
import { browsers } from '../../../src/telemetry/part.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const windows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit}`;
const android = `Mozilla/5.0 (Linux; Android 10; K) ${webkit}`;
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

test.each([
  ['chrome', `${windows} Chrome/126.0.0.0 Safari/537.36`],
  ['chrome', `Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/126.0.0.0 Safari/537.36`],
  ['chrome', `Mozilla/5.0 (Windows NT 6.1) ${webkit} Chrome/49.0.2623.112 Safari/537.36`],
  ['edge', `${windows} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`],
  ['edge', `${windows} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763`],
  ['firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0'],
  ['firefox', 'Mozilla/5.0 (Windows NT 5.1; rv:52.0) Gecko/20100101 Firefox/52.0'],
  [
    'safari',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
  ],
  ['opera', `${windows} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0`],
  ['opera', 'Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18'],
  ['chrome-mobile', `${android} Chrome/126.0.0.0 Mobile Safari/537.36`],
  ['chrome-mobile', `${android} Chrome/126.0.0.0 Safari/537.36`],
  ['chrome-mobile', `${iphone} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`],
  ['edge-mobile', `${android} Chrome/126.0.6478.71 Mobile Safari/537.36 EdgA/125.0.2535.96`],
  ['edge-mobile', `${iphone} Version/17.0 EdgiOS/125.2535.96 Mobile/15E148 Safari/605.1.15`],
  ['firefox-mobile', 'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0'],
  ['firefox-mobile', `${iphone} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`],
  ['safari-mobile', `${iphone} Version/17.4.1 Mobile/15E148 Safari/604.1`],
  [
    'safari-mobile',
    'Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1',
  ],
  ['opera-mobile', `${android} Chrome/126.0.6478.71 Mobile Safari/537.36 OPR/76.2.4027.73374`],
  ['opera-mobile', 'Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16'],
  ['samsung', `${android} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`],
  ['other-mobile', `${android} Version/4.0 Chrome/57.0.2987.108 UCBrowser/12.13.5.1209 Mobile Safari/537.36`],
  ['other', `${windows} Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.7.3329.41`],
  ['other', 'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko'],
  [
    'other',
    `Mozilla/5.0 ${webkit.replace(')', '; compatible; Googlebot/2.1; +http://www.google.com/bot.html)')} Chrome/126.0.0.0 Safari/537.36`,
  ],
  [
    'other',
    `${android} Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
  ],
  ['other', `Mozilla/5.0 ${webkit}; compatible; GPTBot/1.1; +https://openai.com/gptbot`],
  ['other', 'curl/8.5.0'],
  ['other', 'node'],
  ['other', ''],
])('%s: %s', (family, userAgent) => expect(browserOf(userAgent)).toBe(family));

const chromium = `${windows} Chrome/126.0.0.0 Safari/537.36`;

test('client hints correct what the User-Agent hides', () => {
  expect(browserOf(chromium, { brands: '"Chromium";v="126", "Brave";v="126"' })).toBe('other');
  expect(
    browserOf(chromium, { brands: '"Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126"', mobile: '?0' }),
  ).toBe('chrome');
  expect(browserOf(chromium, { mobile: '?1', platform: '"Android"' })).toBe('chrome-mobile');
});

test('whatever a client writes, the answer is on the list', () => {
  const nasty = ['\0', '"'.repeat(500), 'Chrome/', 'x'.repeat(100_000), '__proto__', 'constructor', '((((((('];
  for (const text of nasty) {
    expect(browsers).toContain(browserOf(text));
    expect(browsers).toContain(browserOf(chromium, { brands: text, mobile: text, platform: text }));
  }
});

test('a reader that remembers says the same, and stays small over thousands of headers', () => {
  const read = makeBrowserReader();
  for (let at = 0; at < 3000; at += 1) expect(read(`${chromium} ${at % 700}`)).toBe('chrome');
  expect(read(chromium, { mobile: '?1' })).toBe('chrome-mobile');
  expect(read(chromium)).toBe('chrome');
  expect(read(undefined)).toBe('other');
});
