/**
 * Addresses and domains as people type them: checked, and brought into one form.
 *
 * An address is an IPv4 or IPv6 address or `localhost`, never a name: what a server listens on must not depend on a resolver.
 * Loopback is decided on the address itself, never on a prefix of its text.
 */

interface Wrong {
  readonly wrong: string;
}

/** `127.0.0.1`, `::1`, `localhost` -> the address in its canonical form. */
export const parseAddress = (text: string): string | Wrong => {
  const plain = text.trim().toLowerCase();
  if (plain === '') return { wrong: 'is empty' };
  if (plain === 'localhost') return '127.0.0.1';
  if (isIPv4(plain)) return plain;
  const six = canonicalIPv6(plain.replace(/^\[(.*)\]$/, '$1'));
  if (six !== undefined) return six;
  if (/^[\d.]+$/.test(plain))
    return { wrong: 'is not an IPv4 address (four numbers from 0 to 255, without leading zeros)' };
  if (plain.includes('/')) return { wrong: 'is a network: give one address of it' };
  if (plain.includes('%')) return { wrong: 'has a zone ("%"): give the address without it' };
  if (/:\d+$/.test(plain) && plain.split(':').length === 2) return { wrong: 'has a port: give the address alone' };
  return {
    wrong: 'is not an IP address: names are not looked up; 127.0.0.1 is this machine alone, 0.0.0.0 every network',
  };
};

/** A DNS name as RFC 1123 has it, in lower case. */
export const parseDomain = (text: string): string | Wrong => {
  const name = text.trim().toLowerCase();
  if (name === '') return { wrong: 'is empty' };
  if (/[^\x20-\x7e]/.test(name)) return { wrong: `has other letters than a-z${asciiForm(name)}` };
  if (name.includes('://') || name.includes('/')) return { wrong: 'is a URL: give the domain alone' };
  if (name.includes('@')) return { wrong: 'is a mail address: give what follows the "@"' };
  if (name.endsWith('.')) return { wrong: 'ends with a dot: leave it out' };
  if (name.length > 253) return { wrong: 'is longer than 253 characters' };
  const bad = name.split('.').find((label) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (bad !== undefined) return { wrong: 'is not a domain: each part has 1 to 63 letters, digits and inner hyphens' };
  return /(^|\.)\d+$/.test(name) ? { wrong: 'ends in a number: an IP address is no domain' } : name;
};

/** True for 127.0.0.0/8, ::1, and the first mapped into IPv6. Expects what `parseAddress` returned. */
export const isLoopback = (address: string): boolean =>
  (isIPv4(address) && address.startsWith('127.')) || address === '::1' || /^::ffff:7f[0-9a-f]{2}:/.test(address);

/** Whether what is sent there can't be read on the way: https, or a loopback address; without a user, a password or a fragment. */
export const isSafeUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const loopback = url.protocol === 'http:' && (/^127(\.\d{1,3}){3}$/.test(url.hostname) || url.hostname === '[::1]');
  return (url.protocol === 'https:' || loopback) && url.username === '' && url.password === '' && url.hash === '';
};

/** An address made fit for a URL on this machine: `[::1]`; every-network addresses become loopback. */
export const urlHost = (address: string): string => {
  if (address === '0.0.0.0') return '127.0.0.1';
  return bracketed(address === '::' ? '::1' : address);
};

/** An address as configuration files bind it: IPv6 in brackets, nothing else changed. */
export const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

const isIPv4 = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};

const canonicalIPv6 = (text: string): string | undefined => {
  if (!/^[0-9a-f:.]{2,45}$/.test(text) || !text.includes(':')) return undefined;
  return URL.canParse(`http://[${text}]/`) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : undefined;
};

const asciiForm = (name: string): string => {
  const url = `http://${name.replace(/[/?#@:\\]/g, '')}/`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : '';
  return ascii.includes('xn--') ? `: write it as ${ascii}` : ': write its ASCII form (xn--...)';
};
