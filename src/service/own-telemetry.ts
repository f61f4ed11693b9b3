/**
 * A server's own telemetry: kept off before every start (or, after a yes to its own section of the notice, on), and read back
 * from the running server, because a switch has to be seen, not believed.
 *
 * Files are edited by a child that runs as the service's user: the data folder is that user's, and root touches nothing in it. Other
 * keys of a file stay; a file that is no JSON is set aside beside it. Doing it again changes nothing, and writes nothing.
 */

import { Failure, messageOf } from '../errors.ts';
import { readIfThere } from '../system/files.ts';
import { httpRequest } from '../system/net.ts';
import { run } from '../system/processes.ts';
import type { Json } from '../values.ts';
import { asNobody, basicAuthorization } from './health/http.ts';
import { valueAt } from './json-path.ts';
import { ownerFor } from './owner.ts';
import type { ServiceSpec } from './spec.ts';
import type { ReadBack } from './spec-telemetry.ts';

export interface TelemetryReading {
  /** Whether the server does as it was told; `unknown` where it could not be asked or says something else. */
  readonly obeyed: boolean | 'unknown';
  readonly detail: string;
}

/** Puts the server's files in order for the way the spec goes. Nothing to do for most products. Throws 'refused-check' where that fails. */
export const applyOwnTelemetry = async (spec: ServiceSpec): Promise<void> => {
  const owner = ownerFor(spec);
  for (const edit of spec.ownTelemetry?.edits ?? []) {
    // The manifest's checks see to it that whoever edits files has a Node.
    if (spec.node === null) throw new Error(`${spec.title} edits files and has no Node`);
    const { code, stderr, timedOut } = await run([spec.node, '-e', editScript, edit.file], {
      input: JSON.stringify(edit.set),
      env: { ...spec.environment },
      ...(owner === undefined ? {} : { owner }),
      timeoutMs: 20_000,
    });
    if (code === 0) continue;
    throw new Failure(
      'refused-check',
      `The telemetry of ${spec.title} itself could not be set in ${edit.file}: ${timedOut ? 'no end within 20 s' : stderr.trim().slice(-300)}`,
      'The server is not started while that is so. Look at the file and at the rights of its folder.',
    );
  }
};

/** Asks the running server. Never throws: a server that can't be asked is `unknown`. Undefined for a product without telemetry of its own. */
export const readBackTelemetry = async (spec: ServiceSpec): Promise<TelemetryReading | undefined> => {
  const own = spec.ownTelemetry;
  if (own === null) return undefined;
  const wanted = own.on ? own.readBack.on : own.readBack.off;
  const way = own.on ? 'on' : 'off';
  try {
    const found = valueAt(await documentOf(own.readBack, spec), own.readBack.path);
    if (found === undefined) return { obeyed: 'unknown', detail: `the server does not tell ${own.readBack.path}` };
    const told = `the server tells ${own.readBack.path} = ${JSON.stringify(found)}`;
    if (found === wanted) return { obeyed: true, detail: `kept ${way}: ${told}` };
    return { obeyed: false, detail: `not ${way}: ${told}` };
  } catch (error) {
    return { obeyed: 'unknown', detail: `the server could not be asked: ${messageOf(error)}` };
  }
};

const documentOf = async ({ from }: ReadBack, spec: ServiceSpec): Promise<Json> => {
  if ('file' in from) return JSON.parse(await readAsService(spec, from.file)) as Json;
  const headers = { ...asNobody, accept: 'application/json', ...from.headers, ...basicAuthorization(from.login) };
  const answer = await httpRequest({ url: from.url, headers, timeoutMs: 5000 });
  if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
  return JSON.parse(answer.body) as Json;
};

/** As root a file of the data folder is read by the service's user: what a link there leads to is not ours to open. */
const readAsService = async (spec: ServiceSpec, file: string): Promise<string> => {
  const owner = ownerFor(spec);
  if (owner === undefined) return readIfThere(file) ?? '';
  const { code, stdout, stderr } = await run(['cat', '--', file], { owner, timeoutMs: 5000, maxBytes: 1_000_000 });
  if (code !== 0) throw new Error(stderr.trim());
  return stdout;
};

/** Run as `node -e SCRIPT FILE` with the values on standard input; a program of its own, without imports of ours. */
const editScript = `
const fs = require('node:fs');
const path = require('node:path');
const file = process.argv[1];
const set = JSON.parse(fs.readFileSync(0, 'utf8'));
let text;
try { text = fs.readFileSync(file, 'utf8'); } catch (error) { if (error.code !== 'ENOENT') throw error; }
let found;
try { found = JSON.parse(text ?? '{}'); } catch {}
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
if (!isObject(found)) { fs.renameSync(file, file + '.damaged'); found = {}; text = undefined; }
const before = JSON.stringify(found);
for (const [keys, value] of Object.entries(set)) {
  const parts = keys.split('.');
  let at = found;
  for (const part of parts.slice(0, -1)) at = at[part] = isObject(at[part]) ? at[part] : {};
  at[parts.at(-1)] = value;
}
if (text !== undefined && JSON.stringify(found) === before) process.exit(0);
fs.mkdirSync(path.dirname(file), { recursive: true });
const temporary = path.join(path.dirname(file), '.' + path.basename(file) + '.' + process.pid + '.part');
const mode = text === undefined ? 0o600 : fs.statSync(file).mode & 0o777;
fs.rmSync(temporary, { force: true });
const fd = fs.openSync(temporary, 'wx', mode);
fs.writeFileSync(fd, JSON.stringify(found, null, 4));
fs.fsyncSync(fd);
fs.closeSync(fd);
fs.renameSync(temporary, file);
const folder = fs.openSync(path.dirname(file), 'r');
fs.fsyncSync(folder);
fs.closeSync(folder);
`;
