/**
 * What a schema can't say of an access log: where it lies, and that its lines can say who objects to being counted. A request with
 * `Sec-GPC: 1` or `DNT: 1` must not be counted; a log that does not carry the two headers can't be counted from at all.
 */

import type { Path, RawFault } from './located-yaml.ts';
import type { AccessLog, Product } from './manifest.ts';

type Fault = (key: string, what: string, remedy: string) => RawFault;

export const checkAccessLog = ({ telemetry }: Pick<Product, 'telemetry'>): RawFault[] => {
  const log = telemetry?.accessLog;
  if (log === undefined) return [];
  const path: Path = ['telemetry', 'accessLog'];
  const fault: Fault = (key, what, remedy) => ({ path: [...path, ...key.split('.').filter(Boolean)], what, remedy });
  const byBrowser = telemetry?.dimensions.includes('browser') ?? false;
  return [
    ...checkPlace(log, fault),
    ...(log.format === 'json' ? checkJson(log, fault) : checkText(log, fault)),
    ...(log.format === 'common' && byBrowser
      ? [
          fault(
            'format',
            'has no User-Agent, and "dimensions" counts by browser',
            'use combined or json, or take browser out of "dimensions"',
          ),
        ]
      : []),
  ];
};

/** Not in {{logs}}: in an installation of root's those are root's, and the server may not write there. */
const checkPlace = ({ file, socket, format }: AccessLog, fault: Fault): RawFault[] => {
  if (file !== undefined && socket !== undefined)
    return [fault('socket', 'stands beside "file"', 'keep one of the two')];
  if (file === undefined && socket === undefined)
    return [fault('file', 'is missing', 'name the log, or "socket" for a server that writes none')];
  if (file === undefined)
    return format === 'json' ? [] : [fault('format', 'is for files', 'send a JSON object a line, and say json')];
  const [, below = ''] = /^\{\{data\}\}\/(.+)$/.exec(file) ?? [];
  const parts = below.split('/');
  const isInside = parts.every((part) => /^[\w@+.-]+$/.test(part) && part !== '.' && part !== '..');
  return isInside
    ? []
    : [
        fault(
          'file',
          'is not a file inside {{data}}, where alone a server may always write',
          'begin with {{data}}/ and stay below it, with plain letters: "{{data}}/access.log"',
        ),
      ];
};

const mustNot = 'people who send Sec-GPC: 1 or DNT: 1 must not be counted, and this format does not say who they are';

const checkText = ({ signals, fields }: AccessLog, fault: Fault): RawFault[] => [
  ...(fields === undefined
    ? []
    : [fault('fields', 'names keys, and lines of this format have none', 'use format json, or remove "fields"')]),
  ...(signals
    ? []
    : [
        fault(
          'format',
          mustNot,
          'let the server end each line with "$http_sec_gpc" "$http_dnt" (quoted) and say so with "signals: true", or use json',
        ),
      ]),
];

const checkJson = ({ signals, fields = {} }: AccessLog, fault: Fault): RawFault[] => [
  ...(signals
    ? [fault('signals', 'is for combined and common', 'name the keys in "fields" instead: gpc and dnt')]
    : []),
  ...(fields.gpc === undefined || fields.dnt === undefined
    ? [fault('format', mustNot, 'name the keys of both headers: "fields: { gpc: ..., dnt: ... }"')]
    : []),
  ...Object.entries(fields).flatMap(([name, key]) => checkKey(name, key, Object.values(fields), fault)),
];

const checkKey = (name: string, key: string, all: readonly string[], fault: Fault): RawFault[] => {
  if (key.endsWith('?') && name !== 'gpc' && name !== 'dnt')
    return [fault(`fields.${name}`, 'ends in "?"', 'only gpc and dnt may be left out of a line')];
  const plain = (text: string): string => text.replace(/\?$/, '');
  const sharers = all.filter((other) => plain(other) === plain(key));
  return sharers.length > 1 ? [fault(`fields.${name}`, `"${plain(key)}" is named twice`, 'give each its own key')] : [];
};
