/** A check over HTTP: status, body, a value of the JSON answer, and the version it tells. */

import { readIfThere } from '../../system/files.ts';
import { httpRequest } from '../../system/net.ts';
import type { Json } from '../../values.ts';
import { valueAt } from '../json-path.ts';
import type { HttpCheck, Login } from '../spec-checks.ts';
import type { Probe } from './probe.ts';

export const probeHttp: Probe<HttpCheck> = async (check, { timeoutMs }) => {
  const headers = { ...asNobody, ...check.headers, ...basicAuthorization(check.login) };
  const { status, body } = await httpRequest({ url: check.url, headers, timeoutMs });
  if (status !== check.status) return { ok: false, detail: `it answers ${status}, not ${check.status}` };
  if (check.body !== null && !new RegExp(check.body, 'u').test(body)) {
    return { ok: false, detail: `the answer does not match ${check.body}: ${JSON.stringify(body.slice(0, 120))}` };
  }
  if (check.json === null && check.versionPath === null) return { ok: true, detail: `it answers ${status}` };
  return judgeJson(check, parsed(body), status);
};

export const titleOfHttp = ({ url }: HttpCheck): string => `GET ${url}`;

/** A check is no visitor: whatever counts requests is told not to count it. */
export const asNobody = { 'sec-gpc': '1' } as const;

/** Basic authentication from the file that holds the password, read anew each time; nothing where no login is asked for. */
export const basicAuthorization = (login: Login | null): Record<string, string> => {
  if (login === null) return {};
  const password = readIfThere(login.secretFile)?.replace(/\n$/, '');
  if (password === undefined) throw new Error(`the secret ${login.secretFile} is missing`);
  return { authorization: `Basic ${Buffer.from(`${login.user}:${password}`).toString('base64')}` };
};

const judgeJson = ({ json, versionPath }: HttpCheck, document: Json | undefined, status: number) => {
  if (document === undefined) return { ok: false, detail: 'the answer is no JSON' };
  if (json !== null && valueAt(document, json.path) !== json.equals) {
    const found = JSON.stringify(valueAt(document, json.path)) ?? 'missing';
    return { ok: false, detail: `${json.path} is ${found}, not ${JSON.stringify(json.equals)}` };
  }
  const version = versionPath === null ? undefined : valueAt(document, versionPath);
  if (versionPath !== null && typeof version !== 'string')
    return { ok: false, detail: `the answer tells no ${versionPath}` };
  return { ok: true, detail: `it answers ${status}`, ...(typeof version === 'string' ? { version } : {}) };
};

const parsed = (body: string): Json | undefined => {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
};
