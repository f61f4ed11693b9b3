/**
 * Which family of browsers a request came from: from the User-Agent by a library that follows what browsers call themselves, corrected by
 * the client hints, and then forgotten. Bots and tools are `other`; tablets count as mobile. Whatever a client writes, the answer is on the closed list.
 *
 * The library takes 40 microseconds a header, and a server sees few different ones, so answers are remembered: a few hundred, for a day.
 */

import Bowser from 'bowser';
import type { Browser } from '../part.ts';
import type { Hints } from './seen.ts';

/** A reader that remembers. Make a new one each day. Never throws. */
export const makeBrowserReader = (): ((userAgent: string | undefined, hints?: Hints) => Browser) => {
  const known = new Map<string, Browser>();
  return (userAgent = '', hints = {}) => {
    const { brands, mobile, platform } = hints;
    const isPlain = brands === undefined && mobile === undefined && platform === undefined;
    const key = isPlain ? userAgent : `${mobile}\n${platform}\n${brands}\n${userAgent}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const browser = browserOf(userAgent, hints);
    if (key.length <= longest) {
      if (known.size >= remembered) known.clear();
      known.set(key, browser);
    }
    return browser;
  };
};

const remembered = 256;
/** Real headers are a few hundred characters long. */
const longest = 1024;

/** The family. Never throws. */
export const browserOf = (userAgent: string, hints: Hints = {}): Browser => {
  if (userAgent === '' || userAgent.length > longest) return 'other';
  try {
    const read = Bowser.parse(userAgent, hintsOf(hints));
    if (read.platform.type === 'bot') return 'other';
    const family = families[read.browser.name ?? ''] ?? 'other';
    const isMobile = ['mobile', 'tablet'].includes(read.platform.type ?? '') || hints.mobile === '?1';
    return isMobile && family !== 'samsung' ? `${family}-mobile` : family;
  } catch {
    return 'other';
  }
};

type Family = 'chrome' | 'edge' | 'firefox' | 'opera' | 'safari' | 'samsung';

/** By what the library calls them. */
const families: Readonly<Record<string, Family>> = {
  Chrome: 'chrome',
  Chromium: 'chrome',
  'Microsoft Edge': 'edge',
  Firefox: 'firefox',
  Opera: 'opera',
  'Opera Touch': 'opera',
  'Opera GX': 'opera',
  Safari: 'safari',
  'Samsung Internet for Android': 'samsung',
};

/** As the library wants them: the list of `"Chromium";v="126", "Microsoft Edge";v="126"`, taken apart. */
const hintsOf = ({ brands = '', mobile, platform }: Hints): Bowser.ClientHints => ({
  brands: [...brands.slice(0, longest).matchAll(/"([^"\\]{1,60})"\s*;\s*v="([^"\\]{0,30})"/g)].map(
    ([, brand = '', version = '']) => ({ brand, version }),
  ),
  ...(mobile === undefined ? {} : { mobile: mobile === '?1' }),
  ...(platform === undefined ? {} : { platform: platform.replaceAll('"', '') }),
});
