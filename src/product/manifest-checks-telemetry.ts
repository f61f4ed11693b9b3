/** What a manifest says of the server's own telemetry has to hold together: on only with a notice, and read back what was set. */

import type { Path, RawFault } from './located-yaml.ts';
import type { OwnTelemetryAction, Product, Release } from './manifest.ts';

/** `login: true` where the manifest names none: what is asked would be asked without one. */
export const noLogin = {
  what: 'the manifest has no login',
  remedy: 'add "login: { user: ..., secret: ... }" to the manifest',
};

export const checkOwnTelemetry = ({ login }: Product, { ownTelemetry: own }: Release, at: Path): RawFault[] => {
  if (own === undefined) return [];
  const path = [...at, 'ownTelemetry'];
  const faults: RawFault[] = [];
  const fault = (key: string, what: string, remedy: string) => faults.push({ path: [...path, key], what, remedy });
  if (own.on !== undefined && own.notice === undefined) {
    fault('on', 'is given without a notice', 'add "notice" (what is sent, to whom, which identifiers), or remove "on"');
  }
  if (own.notice !== undefined && own.on === undefined) {
    fault('notice', 'promises what no "on" does', 'add "on" with the actions that a yes takes, or remove "notice"');
  }
  if (own.on !== undefined && own.readBack.on === undefined) {
    fault('readBack', 'does not say what "on" looks like', 'add "on: ..." to it');
  }
  if (own.readBack.on !== undefined && own.readBack.on === own.readBack.off) {
    fault('readBack', 'reads the same when it is on and off', 'let "on" and "off" differ');
  }
  if (own.readBack.kind === 'http' && own.readBack.login && login === undefined)
    faults.push({ path: [...path, 'readBack', 'login'], ...noLogin });
  if (own.readBack.kind === 'json-file') faults.push(...checkFile(own.readBack.file, [...path, 'readBack', 'file']));
  faults.push(...checkActions(own.off, [...path, 'off']), ...checkActions(own.on ?? [], [...path, 'on']));
  return faults;
};

const checkActions = (actions: readonly OwnTelemetryAction[], path: Path): RawFault[] =>
  actions.flatMap((action, at) => (action.kind === 'json' ? checkFile(action.file, [...path, at, 'file']) : []));

/** The server's user writes the file: it has to lie where that user may write, or where we render. */
const checkFile = (file: string, path: Path): RawFault[] => {
  const inside = /^\{\{(data|config)\}\}\/[^{}]+$/.test(file) && !file.split('/').includes('..');
  return inside
    ? []
    : [{ path, what: 'lies neither in {{data}} nor in {{config}}', remedy: 'begin with {{data}}/ and stay below it' }];
};
