/**
 * SipHash-2-4, by Aumasson and Bernstein: a keyed hash made for short texts, whose values say nothing to whoever has not the key.
 *
 * It is computed for each counted request, inside of a server. Node's own Hmac makes an object of the system's each time and takes ten times as long; a table of
 * addresses that were met would be as quick, but would keep addresses. Words of 64 bits are two of 32 here, the low one first.
 */

/** The low 32 bits of the hash, signed. `key`: 16 bytes; each character is one byte. */
export type KeyedHash = (text: string) => number;

export const makeKeyedHash = (key: Uint8Array): KeyedHash => {
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const [k0, k1, k2, k3] = [
    view.getInt32(0, true),
    view.getInt32(4, true),
    view.getInt32(8, true),
    view.getInt32(12, true),
  ];
  const v = new Int32Array(8);
  return (text) => {
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;
    const whole = text.length & ~7;
    for (let at = 0; at < whole; at += 8) block(v, fourBytes(text, at), fourBytes(text, at + 4));
    block(v, fourBytes(text, whole), fourBytes(text, whole + 4) | (text.length << 24));
    v[4] = at(v, 4) ^ 0xff;
    for (let round = 0; round < 4; round += 1) mix(v);
    return at(v, 0) ^ at(v, 2) ^ at(v, 4) ^ at(v, 6);
  };
};

const at = (v: Int32Array, index: number): number => v[index] as number;

/** Little-endian; behind the end there are zeros. */
const fourBytes = (text: string, from: number): number => {
  let word = 0;
  for (let byte = 0; byte < 4 && from + byte < text.length; byte += 1)
    word |= (text.charCodeAt(from + byte) & 0xff) << (8 * byte);
  return word;
};

const block = (v: Int32Array, low: number, high: number): void => {
  v[6] = at(v, 6) ^ low;
  v[7] = at(v, 7) ^ high;
  mix(v);
  mix(v);
  v[0] = at(v, 0) ^ low;
  v[1] = at(v, 1) ^ high;
};

const mix = (v: Int32Array): void => {
  add(v, 0, 2);
  rotateAndXor(v, 2, 13, 0);
  swap(v, 0);
  add(v, 4, 6);
  rotateAndXor(v, 6, 16, 4);
  add(v, 0, 6);
  rotateAndXor(v, 6, 21, 0);
  add(v, 4, 2);
  rotateAndXor(v, 2, 17, 4);
  swap(v, 4);
};

const add = (v: Int32Array, to: number, what: number): void => {
  const low = (at(v, to) >>> 0) + (at(v, what) >>> 0);
  v[to] = low;
  v[to + 1] = at(v, to + 1) + at(v, what + 1) + (low > 0xffffffff ? 1 : 0);
};

/** By less than 32 bits to the left. */
const rotateAndXor = (v: Int32Array, word: number, bits: number, other: number): void => {
  const [low, high] = [at(v, word), at(v, word + 1)];
  v[word] = ((low << bits) | (high >>> (32 - bits))) ^ at(v, other);
  v[word + 1] = ((high << bits) | (low >>> (32 - bits))) ^ at(v, other + 1);
};

const swap = (v: Int32Array, word: number): void => {
  const low = at(v, word);
  v[word] = at(v, word + 1);
  v[word + 1] = low;
};
