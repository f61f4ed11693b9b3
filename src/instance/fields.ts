/**
 * Readers for the fields of our own JSON files (state, journal). They throw a plain Error that names the field;
 * the caller says which file it was. Small on purpose: `status` must not load a schema library to read two files.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object with fields. */
export const record = (value: unknown, where: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is not an object`);
  return value as Fields;
};

/** A string that `parse` accepts. */
export const field = <T>(at: Fields, name: string, parse: (value: string) => T | undefined): T => {
  const parsed = parse(text(at, name));
  if (parsed === undefined) throw new Error(`${name} is not valid: ${JSON.stringify(at[name])}`);
  return parsed;
};

/** Null, or a string that `parse` accepts. */
export const optional = <T>(at: Fields, name: string, parse: (value: string) => T | undefined): T | null =>
  at[name] === null ? null : field(at, name, parse);

export const text = (at: Fields, name: string): string => {
  const value = at[name];
  if (typeof value !== 'string') throw new Error(`${name} is not text`);
  return value;
};

export const whole = (at: Fields, name: string, least: number): number => {
  const value = at[name];
  if (!Number.isSafeInteger(value) || (value as number) < least) throw new Error(`${name} is not a whole number`);
  return value as number;
};

export const yesNo = (at: Fields, name: string): boolean => {
  const value = at[name];
  if (typeof value !== 'boolean') throw new Error(`${name} is neither true nor false`);
  return value;
};

export const oneOf = <const T extends string>(at: Fields, name: string, allowed: readonly T[]): T => {
  const value = text(at, name);
  if (!(allowed as readonly string[]).includes(value)) throw new Error(`${name} is none of ${allowed.join(', ')}`);
  return value as T;
};

export const list = (at: Fields, name: string): readonly unknown[] => {
  const value = at[name];
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value;
};
