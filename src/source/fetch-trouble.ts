/**
 * What can go wrong on the way from a registry, how long it is waited for, and how it is told to people.
 *
 * A connection has to stand within 8 seconds, so that a cut network is noticed soon; a registry that is there may take a
 * minute for its first byte (a proxy that fetches and scans a large archive first does), and as long for each 16 kB after it. So a
 * host that sends a byte now and then holds nobody for long.
 */
import { Failure, messageOf } from '../errors.ts';
import { codeOf } from '../system/files.ts';
import { SpoolTooLong } from '../system/spool.ts';

/** Milliseconds. */
export const deadlines = {
  connect: 8000,
  /** Without an answer, once connected; and then for each piece of `pace` bytes. */
  silence: 60_000,
  /** For one archive as a whole. */
  whole: 30 * 60_000,
  /** After that time since an archive was first asked for, no further try is begun. */
  retry: 9000,
};

/** Bytes that have to come within the silence; a smaller archive has that long as a whole. */
const pace = 16_384;

class StatusTrouble extends Error {
  readonly statusCode: number;
  constructor(statusCode: number) {
    super(`it answered with status ${statusCode}`);
    this.statusCode = statusCode;
  }
}

export const statusTrouble = (status: number): Error => new StatusTrouble(status);

/** Runs `work` with a signal that fires when what it tells `alive` of came too slowly, or when `stop` fires. Without a number, `alive` begins anew. */
export const withDeadline = async <T>(
  stop: AbortSignal,
  work: (signal: AbortSignal, alive: (bytes?: number) => void) => Promise<T>,
): Promise<T> => {
  const own = new AbortController();
  const [silence, whole] = [deadlines.silence / 1000, deadlines.whole / 60_000];
  let came = 0;
  const late = (): void =>
    own.abort(new Error(`${came === 0 ? 'nothing' : `only ${came} bytes`} came for ${silence} seconds`));
  let timer = setTimeout(late, deadlines.silence);
  const last = setTimeout(() => own.abort(new Error(`it had not come whole after ${whole} minutes`)), deadlines.whole);
  const alive = (bytes = pace): void => {
    came += bytes;
    if (came < pace) return;
    came = 0;
    clearTimeout(timer);
    timer = setTimeout(late, deadlines.silence);
  };
  try {
    return await work(AbortSignal.any([own.signal, stop]), alive);
  } catch (error) {
    throw own.signal.aborted ? own.signal.reason : error;
  } finally {
    clearTimeout(timer);
    clearTimeout(last);
  }
};

/** Whether the same may work a moment later. */
export const isWorthAnotherTry = (error: unknown): boolean => {
  const { statusCode } = error as { statusCode?: unknown };
  const code = codeOf(error);
  if (typeof statusCode === 'number') return statusCode >= 500 || statusCode === 408 || statusCode === 429;
  if (error instanceof SpoolTooLong) return false;
  return !/^(ENOTFOUND|ENOSPC|EACCES|EROFS|EDQUOT|ERR_INVALID_URL|.*CERT.*|.*VERIFY.*|ERR_TLS.*)$/.test(String(code));
};

/** The Failure 'download-failed' about one package. `url` may hold credentials and is not shown. */
export const fetchTrouble = (wanted: { name: string; version: string }, url: string, error: unknown): Failure => {
  const { statusCode } = error as { statusCode?: unknown };
  const code = codeOf(error);
  const { host } = new URL(url);
  const reason =
    typeof statusCode === 'number' ? statusReasons(statusCode) : (systemReasons[String(code)] ?? messageOf(error));
  return new Failure(
    'download-failed',
    `${wanted.name} ${wanted.version} could not be fetched from ${host}: ${withoutCredentials(reason)}.`,
    `${adviceFor(statusCode, code, host)} What has arrived so far is kept; nothing else was changed.`,
    error,
  );
};

const statusReasons = (status: number): string => {
  if (status === 404) return 'it does not have it (404)';
  if (status === 401 || status === 403) return `it refused the request (${status})`;
  return `it answered with status ${status}`;
};

const systemReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known (ENOTFOUND)',
  EAI_AGAIN: 'the name could not be looked up (EAI_AGAIN)',
  ECONNREFUSED: 'the connection was refused (ECONNREFUSED)',
  ECONNRESET: 'the connection broke off (ECONNRESET)',
  ECONNECTIONTIMEOUT: `no connection within ${deadlines.connect / 1000} seconds`,
  ENETUNREACH: 'the network is unreachable (ENETUNREACH)',
  EHOSTUNREACH: 'the host is unreachable (EHOSTUNREACH)',
  ENOSPC: 'the disk is full (ENOSPC)',
};

const adviceFor = (status: unknown, code: unknown, host: string): string => {
  if (status === 404) return `Name a registry that has it: npm config set registry ADDRESS.`;
  if (status === 401 || status === 403)
    return `Give npm credentials for ${host}: npm login, or an _authToken in ~/.npmrc.`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Make room, then run the command again.';
  if (/CERT|VERIFY/.test(String(code))) return `Tell npm of the certificate authority: npm config set cafile FILE.`;
  return `Check the network, and npm's registry and proxy ("npm ping" uses the same), then run the command again.`;
};

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@\s]+@/g, '//').replace(/\.$/, '');
