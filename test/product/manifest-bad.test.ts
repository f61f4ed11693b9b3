/** Bad manifests: each is refused with exit 2 and a line that names place, fault and remedy. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { parseManifest } from '../../src/product/manifest.ts';
import { baseManifest, edited, firstDifference } from './base.ts';

/** What is replaced, by what; where the fault is, in words; what the line says. A number is the line where it isn't the first changed one. */
type Row = readonly [from: string, to: string, where: string, says: RegExp, line?: number];

const structure: Row[] = [
  ['title: Sample\n', 'titel: Sample\n', 'titel', /unknown key — Did you mean "title"/],
  ['format: 1', 'format: 2', 'format', /not 1 — .*newer Assent/],
  ['format: 1', 'format: "1"', 'format', /not 1/],
  ['name: sample', 'name: Sample', 'name', /not a name of a product — small letters/],
  ['name: sample', 'name: 7', 'name', /put it in quotes/],
  ['summary: A server for tests\n', '', 'summary', /is missing — add "summary/, 1],
  ['summary: A server for tests', 'summary:', 'summary', /has no value — write a text/],
  ['summary: A server for tests', 'summary: [a]', 'summary', /is a list — write a text/],
  ['homepage: https://example.org/', 'homepage: http://example.org/', 'homepage', /not an https address/],
  ['homepage: https://example.org/', 'homepage: javascript:alert(1)', 'homepage', /not an https address/],
  ['license: MIT', 'license: ""', 'license', /is empty/],
  ['title: Sample\n', `title: ${'x'.repeat(61)}\n`, 'title', /longer than 60/],
  ['title: Sample\n', 'title: "a\\nb"\n', 'title', /control character/],
];

const yamlFaults: Row[] = [
  ['license: MIT', 'license: MIT\nlicense: BSD', 'YAML', /unique — a key may stand once/, 7],
  ['license: MIT', 'license: "MIT', 'YAML', /—/, 6],
  ['license: MIT', 'license: &x MIT\nhomepage2: *x', 'YAML', /\*x is an alias — write the value out/, 7],
  ['license: MIT', 'license: !secret MIT', 'YAML', /tag.* — remove the tag/],
  ['license: MIT', 'license: !!binary TUlU', 'YAML', /tag .*binary — remove the tag/],
  ['format: 1', '--- \nformat: 1\n---\n', 'YAML', /second document begins here — keep one document/, 3],
  ['  webPort: {', '\twebPort: {', 'YAML', /—/],
  ['license: MIT', '? [a, b]\n: MIT', 'YAML', /—/],
];

const settings: Row[] = [
  [
    'type: port, title: WebClient',
    'type: prot, title: WebClient',
    'settings.webPort.type',
    /"prot" is not allowed — Did you mean "port"/,
  ],
  ['{ type: port, title: WebClient port', '{ title: WebClient port', 'settings.webPort.type', /is missing/],
  [
    '{ type: port, title: WebClient port',
    '{ type: port, tittle: WebClient port',
    'settings.webPort.tittle',
    /Did you mean "title"/,
  ],
  ['default: 1080', 'default: 70000', 'settings.webPort.default', /more than 65535/],
  ['default: 1080', 'default: 0', 'settings.webPort.default', /less than 1/],
  ['default: 1080', 'default: 10.5', 'settings.webPort.default', /whole number/],
  ['default: 1080', 'default: "1080"', 'settings.webPort.default', /"1080" is a text — write/],
  ['default: 1080', 'default: 1080, min: 2000', 'settings.webPort.default', /not between 2000 and 65535/],
  ['default: 127.0.0.1', 'default: example.org', 'settings.listen.default', /not an IP address/],
  ['default: 127.0.0.1', 'default: 127.0.1', 'settings.listen.default', /not an IPv4 address/],
  ['default: admin', 'default: 22.10', 'settings.user.default', /number in YAML — put the text in quotes/],
  ['default: admin', 'default: admin, pattern: "[a"', 'settings.user.pattern', /not a regular expression/],
  ['default: admin', 'default: admin, pattern: "[0-9]+"', 'settings.user.default', /does not match/],
  ['default: admin', `default: admin, pattern: "${'a'.repeat(301)}"`, 'settings.user.pattern', /more than 300/],
  ['default: admin', 'default: admin, choices: [a]', 'settings.user.choices', /unknown key/],
  ['default: safe', 'default: saef', 'settings.mode.default', /none of fast, safe; did you mean "safe"/],
  ['choices: [fast, safe]', 'choices: []', 'settings.mode.choices', /no choice/],
  ['choices: [fast, safe]', 'choices: [safe, safe]', 'settings.mode.choices[1]', /stands twice/],
  ['default: false }', 'default: no }', 'settings.verbose.default', /is a text — write true or false/],
  ['min: 1, max: 10', 'min: 10, max: 1', 'settings.limit.min', /more than max/],
  ['default: 5', 'default: 50', 'settings.limit.default', /not between 1 and 10/],
  ['generate: 20', 'generate: 4', 'settings.webPassword.generate', /less than 12/],
  ['generate: 20', 'default: secret', 'settings.webPassword.default', /unknown key/],
  ['generate: 20', 'generate: 20, min: 40', 'settings.webPassword.generate', /20 is less than min, 40/],
  ['generate: 20', 'generate: 20, max: 16', 'settings.webPassword.generate', /20 is more than max, 16/],
  [
    'generate: 20',
    'generate: 20, pattern: "[0-9]*"',
    'settings.webPassword.generate',
    /no generated secret matches \[0-9]\*: they are letters and digits/,
  ],
  ['  webPort: {', '  web-port: {', 'settings.web-port', /not a name of a setting/],
  ['  verbose: {', '  release: {', 'settings.release', /means something else/],
  ['  verbose: {', '  listenHost: {', 'settings.listenHost', /derive from the address "listen"/],
  ['  verbose: {', '  user.name: {', 'settings.user', /first part of another/, 11],
  ['  verbose: {', '  __proto__: {', 'YAML', /__proto__ is no key/],
];

const templates: Row[] = [
  [
    'web: "http://{{listenHost}}',
    'web: "http://{{listenHots}}',
    'urls.web',
    /listenHots}} names nothing .* — Did you mean "listenHost"/,
  ],
  [
    'web: "http://{{listenHost}}',
    'web: "http://{{webPassword}}',
    'urls.web',
    /secret {{webPassword}} may not stand here/,
  ],
  ['web: "http://{{listenHost}}', 'web: "http://{{data}}', 'urls.web', /names nothing/],
  ['"--web", "{{webPort}}"', '"--web", "{{wepPort}}"', 'defaults.service.command[3]', /Did you mean "webPort"/],
  [
    '"--web", "{{webPort}}"',
    '"--web", "{{secret.webPassword}}"',
    'defaults.service.command[3]',
    /use {{secretFile.webPassword}}/,
  ],
  ['"--web", "{{webPort}}"', '"--web", "{{webPort"', 'defaults.service.command[3]', /can't be read .*Unclosed tag/],
  ['"--web", "{{webPort}}"', '"--web", "{{> other}}"', 'defaults.service.command[3]', /tag of kind ">"/],
  ['"--web", "{{webPort}}"', '"--web", "{{=<% %>=}}"', 'defaults.service.command[3]', /tag of kind "="/],
  ['MODE: "{{mode}}"', 'MODE: "{{secret.webPassword}}"', 'defaults.service.environment.MODE', /may not stand here/],
  ['{{release}}/prepare.js', '{{realese}}/prepare.js', 'defaults.service.prepare[0][1]', /Did you mean "release"/],
  [
    'url: "http://{{listenHost}}:{{webPort}}/"',
    'url: "http://{{host}}:{{webPort}}/"',
    'defaults.health.checks[0].url',
    /{{host}} names nothing/,
  ],
  ['port: "{{smtpPort}}"', 'port: "{{smtp}}"', 'defaults.health.checks[1].port', /Did you mean "smtpPort"/],
  ['user: "{{user}}", secret', 'user: "{{usr}}", secret', 'login.user', /Did you mean "user"/],
  [
    'json: { path: telemetry }',
    'headers: { X-Key: "{{nosuch}}" }, json: { path: telemetry }',
    'defaults.ownTelemetry.readBack.headers.X-Key',
    /{{nosuch}} names nothing/,
  ],
  [
    'json: { path: telemetry }',
    'headers: { X-Key: "{{secret.webPassword}}" }, json: { path: telemetry }',
    'defaults.ownTelemetry.readBack.headers.X-Key',
    /may not stand here/,
  ],
];

const rehearsed = (copy: string): string => `data: { format: 1 }\n  rehearsal: { ${copy} }`;

const rehearsals: Row[] = [
  ['data: { format: 1 }', rehearsed('copy: appended'), 'defaults.rehearsal.copy', /is a text/],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: cloned }'),
    'defaults.rehearsal.copy.kind',
    /"cloned" is not allowed/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: appended, databases: [a] }'),
    'defaults.rehearsal.copy.databases',
    /unknown key/,
  ],
  ['data: { format: 1 }', rehearsed('copy: { kind: sqlite }'), 'defaults.rehearsal.copy.databases', /is missing/],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: sqlite, databases: [] }'),
    'defaults.rehearsal.copy.databases',
    /is empty/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: sqlite, databases: [/var/lib/x.db] }'),
    'defaults.rehearsal.copy.databases[0]',
    /not a pattern of paths below the data/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: sqlite, databases: [a/../../x] }'),
    'defaults.rehearsal.copy.databases[0]',
    /leaves the data/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: command, command: ["{{nod}}"] }'),
    'defaults.rehearsal.copy.command[0]',
    /Did you mean "node"/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: command, command: ["{{webPassword}}"] }'),
    'defaults.rehearsal.copy.command[0]',
    /secret .* may not stand here/,
  ],
  [
    'data: { format: 1 }',
    rehearsed('copy: { kind: appended }, environment: { SAFE: "{{nothing}}" }'),
    'defaults.rehearsal.environment.SAFE',
    /names nothing/,
  ],
  ['data: { format: 1 }', rehearsed('environment: { SAFE: "1" }'), 'defaults.rehearsal.copy', /is missing/],
];

const releases: Row[] = [
  ['runtime: 24.21.0', 'runtime: 24.21', 'defaults.runtime', /number in YAML — put it in quotes/],
  ['runtime: 24.21.0', 'runtime: ">=24"', 'defaults.runtime', /not an exact version/],
  [
    '  runtime: 24.21.0\n',
    '',
    'releases[1].source.rebuild',
    /compiled for a Node, and this release has no "runtime"/,
    48,
  ],
  ['version: 1.0.0', 'version: 1.0', 'releases[0].version', /put it in quotes/],
  ['version: 1.0.0', 'version: 1.00.0', 'releases[0].version', /no leading zeros/],
  ['version: 1.0.0', 'version: 1.0.0-a..b', 'releases[0].version', /not a semantic version/],
  ['version: 1.0.0', 'version: v1.0.0', 'releases[0].version', /without "v"/],
  ['version: 2.0.0', 'version: 1.0.0', 'releases[1].version', /1\.0\.0 stands twice/],
  ['version: 2.0.0', 'version: 1.0.0-rc.1', 'releases[1].version', /ascending order/],
  [
    'kind: npm, lock: locks/1.0.0',
    'kind: git, lock: locks/1.0.0',
    'releases[0].source.kind',
    /"git" is not allowed — one of: npm, deb/,
  ],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'notes: [none]',
    'releases[0].source',
    /is missing — add "source: ..." or "parts: ..." here/,
    45,
  ],
  [
    '    size: {',
    '    parts: { web: { kind: npm, lock: a } }\n    size: {',
    'releases[0].parts',
    /stands beside "source"/,
  ],
  ['source: { kind: npm, lock: locks/1.0.0 }', 'parts: {}', 'releases[0].parts', /has no part — name at least one/],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'parts: { Web: { kind: npm, lock: locks/1.0.0 } }',
    'releases[0].parts.Web',
    /not a name of a part — small letters/,
  ],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'parts: { templates: { kind: npm, lock: locks/1.0.0 } }',
    'releases[0].parts.templates',
    /would lie where the template templates\/server.env lies — give/,
  ],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'source: { kind: deb, lock: locks/1.0.0, suites: [bookworm], packages: [Prosody] }',
    'releases[0].source.packages[0]',
    /not a name of a package — write it like prosody/,
  ],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'source: { kind: deb, lock: locks/1.0.0, suites: [bookworm], packages: [prosody/sid] }',
    'releases[0].source.packages[0]',
    /sid is not among the suites — add sid/,
  ],
  [
    'source: { kind: npm, lock: locks/1.0.0 }',
    'source: { kind: deb, lock: locks/1.0.0, suites: [bookworm], packages: [prosody], without: [prosody] }',
    'releases[0].source.without[0]',
    /prosody is wanted in "packages" — keep it/,
  ],
  ['lock: locks/1.0.0', 'lock: ../locks', 'releases[0].source.lock', /leaves its folder/],
  ['lock: locks/1.0.0', 'lock: /etc', 'releases[0].source.lock', /not a relative path/],
  ['rebuild: [better-sqlite3]', 'rebuild: ["; rm -rf /"]', 'releases[1].source.rebuild[0]', /not a name of a package/],
  ['files: 3 }', 'files: -3 }', 'releases[0].size.files', /less than 1/],
  ['files: 3 }', 'files: 3, bytes: 1 }', 'releases[0].size.bytes', /unknown key/],
  [
    'command: ["{{node}}", "{{release}}/server.js", "--web", "{{webPort}}"]',
    'command: []',
    'defaults.service.command',
    /is empty — name the program/,
  ],
  [
    'command: ["{{node}}", "{{release}}/server.js", "--web", "{{webPort}}"]',
    'command: node server.js',
    'defaults.service.command',
    /is a text — write a list/,
  ],
  ['stopSignal: SIGTERM', 'stopSignal: SIGKIL', 'defaults.service.stopSignal', /"SIGKIL" is not allowed — /],
  ['stopSeconds: 10', 'stopSeconds: 0', 'defaults.service.stopSeconds', /less than 1 — give 1 to 600/],
  [
    'environment: { MODE',
    'environment: { "MO DE"',
    'defaults.service.environment.MO DE',
    /not a name of an environment variable/,
  ],
  [
    'environmentFile: server.env',
    'environmentFile: other.env',
    'defaults.service.environmentFile',
    /no config file is called "other.env"/,
  ],
  [
    'file: server.env, secret: true }',
    'file: ../server.env, secret: true }',
    'defaults.config[0].file',
    /leaves its folder/,
  ],
  [
    'secret: true }',
    'secret: true }\n    - { template: t, file: server.env }',
    'defaults.config[1].file',
    /written twice/,
    38,
  ],
  ['data: { format: 1 }', 'data: { format: 0 }', 'defaults.data.format', /less than 1/],
  ['    checks:\n', '    checks: []\n    chekcs:\n', 'defaults.health.checks', /has no check/, 32],
  ['kind: smtp, host', 'kind: smpt, host', 'defaults.health.checks[1].kind', /Did you mean "smtp"/],
  ['status: 200', 'status: 42', 'defaults.health.checks[0].status', /less than 100/],
  ['status: 200', 'statsu: 200', 'defaults.health.checks[0].statsu', /Did you mean "status"/],
  [
    'version: "Sample/(\\\\S+)"',
    'version: "Sample/.*"',
    'defaults.health.checks[1].version',
    /no group — put the part/,
  ],
  ['banner: "^220 .*"', 'banner: "^220 (.*"', 'defaults.health.checks[1].banner', /not a regular expression/],
  ['stableSeconds: 3', 'stableSeconds: 3600', 'defaults.health.stableSeconds', /more than 60/],
  [
    'login: { user: "{{user}}", secret: webPassword }\n',
    '',
    'defaults.health.checks[0].login',
    /the manifest has no login/,
    32,
  ],
  [
    'secret: webPassword }',
    'secret: webPasword }',
    'login.secret',
    /no secret of this product — name one of: webPassword/,
  ],
];

const telemetry: Row[] = [
  [
    '    notice: { sends: its version, to: its maker, identifiers: none, restart: true }\n',
    '',
    'defaults.ownTelemetry.on',
    /without a notice/,
    41,
  ],
  [
    '    on: [{ kind: environment, name: SEND, value: "1" }]\n',
    '',
    'defaults.ownTelemetry.notice',
    /promises what no "on" does/,
    42,
  ],
  ['off: false, on: true }', 'off: false }', 'defaults.ownTelemetry.readBack', /what "on" looks like/, 42],
  ['off: false, on: true }', 'off: false, on: false }', 'defaults.ownTelemetry.readBack', /the same/, 42],
  ['off: [{ kind: json', 'off: []\n    of: [{ kind: json', 'defaults.ownTelemetry.off', /is empty/],
  ['{{data}}/config.json', '/etc/config.json', 'defaults.ownTelemetry.off[0].file', /lies neither in/],
  ['{{data}}/config.json', '{{data}}/../config.json', 'defaults.ownTelemetry.off[0].file', /lies neither in/],
  ['dimensions: [browser, hour]', 'dimensions: [browser, address]', 'telemetry.dimensions[1]', /may not be counted/],
  ['dimensions: [browser, hour]', 'dimensions: [hour, hour]', 'telemetry.dimensions', /dimension twice/],
  ['smallestGroup: 5', 'smallestGroup: 4', 'telemetry.smallestGroup', /less than 5/],
  ['smallestGroup: 5', 'smallestGroup: 1001', 'telemetry.smallestGroup', /more than 1000/],
  ['name: message-deleted', 'name: mailbox-opened', 'telemetry.counters[1].name', /stands twice/],
  ['name: message-deleted', 'name: Message Deleted', 'telemetry.counters[1].name', /not a name of a counter/],
  ['"DELETE /email/:id"', '"DELETE /email?id=1"', 'telemetry.counters[1].routes[0]', /not a route/],
  ['"DELETE /email/:id"', '"/email"', 'telemetry.counters[1].routes[0]', /not a route/],
  ['period: week', 'period: hour', 'telemetry.period', /"hour" is not allowed/],
  ['retentionDays: 90', 'retentionDays: 100000', 'telemetry.retentionDays', /more than 3650/],
  ['  recipient: none\n', '', 'telemetry.recipient', /is missing/, 53],
  ['recipient: none', 'recipient: nobody', 'telemetry.recipient', /write "none" or a map/],
  [
    'recipient: none',
    'recipient: { name: X, endpoint: http://example.org/, policy: https://example.org/ }',
    'telemetry.recipient.endpoint',
    /not an https address/,
  ],
  [
    'recipient: none',
    'recipient: { name: X, endpoint: http://127.0.0.1.example.org/, policy: https://example.org/ }',
    'telemetry.recipient.endpoint',
    /not an https/,
  ],
  [
    'recipient: none',
    'recipient: { name: X, endpoint: https://u:p@example.org/, policy: https://example.org/ }',
    'telemetry.recipient.endpoint',
    /not an https/,
  ],
  [
    'recipient: none',
    'recipient: { name: X, endpoint: https://example.org/ }',
    'telemetry.recipient.policy',
    /is missing/,
  ],
];

const counting: Row[] = [
  [
    '"{{node}}", "{{release}}/server.js"',
    '"{{release}}/server"',
    'defaults.service.command[0]',
    /counts nothing: .*accessLog/,
  ],
  [
    '"{{node}}", "{{release}}/server.js"',
    '/usr/bin/env, "{{node}}", "{{release}}/server.js"',
    'defaults.service.command[0]',
    /only {{node}} itself is counted from inside/,
  ],
];

/** An access log in place of the last line of the base. */
const log = (written: string): string => `recipient: none\n  accessLog: { ${written} }`;
const at = (key: string): string => `telemetry.accessLog${key}`;
const extended = 'format: combined, signals: true';

const accessLogs: Row[] = [
  ['recipient: none', log(`file: /var/log/access.log, ${extended}`), at('.file'), /not a file inside \{\{data}}/],
  ['recipient: none', log(`file: "{{config}}/a.log", ${extended}`), at('.file'), /not a file inside/],
  ['recipient: none', log(`file: "{{logs}}/a.log", ${extended}`), at('.file'), /where alone a server may always write/],
  ['recipient: none', log(`file: "{{data}}/../a.log", ${extended}`), at('.file'), /not a file inside/],
  ['recipient: none', log(`file: "{{data}}/./a.log", ${extended}`), at('.file'), /not a file inside/],
  ['recipient: none', log(`file: "{{data}}", ${extended}`), at('.file'), /not a file inside/],
  ['recipient: none', log(`file: "{{data}}//a.log", ${extended}`), at('.file'), /not a file inside/],
  ['recipient: none', log(`file: "{{data}}/{{name}}.log", ${extended}`), at('.file'), /with plain letters/],
  ['recipient: none', log(extended), at('.file'), /is missing/],
  ['recipient: none', log(`file: "{{data}}/a.log", socket: A, ${extended}`), at('.socket'), /stands beside "file"/],
  ['recipient: none', log(`socket: COUNT_TO, ${extended}`), at('.format'), /is for files/],
  [
    'recipient: none',
    log('socket: a b, format: json, fields: { gpc: a, dnt: b }'),
    at('.socket'),
    /not a name of an environment variable/,
  ],
  ['recipient: none', log('file: "{{data}}/a.log", format: clf'), at('.format'), /"clf" is not allowed/],
  ['recipient: none', log('file: "{{data}}/a.log", format: combined'), at('.format'), /DNT: 1 must not be counted/],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json'),
    at('.format'),
    /must not be counted, .*name the keys/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, fields: { gpc: gpc }'),
    at('.format'),
    /must not be counted/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: common, signals: true'),
    at('.format'),
    /has no User-Agent, and "dimensions" counts by browser/,
  ],
  ['recipient: none', log(`file: "{{data}}/a.log", ${extended}, fields: {}`), at('.fields'), /names keys/],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, signals: true, fields: { gpc: gpc, dnt: dnt }'),
    at('.signals'),
    /is for combined and common/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, fields: { gpc: gpc, dnt: gpc }'),
    at('.fields.gpc'),
    /"gpc" is named twice/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, fields: { gpc: g?, dnt: d, path: "p?" }'),
    at('.fields.path'),
    /ends in "\?"/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, fields: { gpc: g, dnt: d, user: u }'),
    at('.fields.user'),
    /unknown key/,
  ],
  [
    'recipient: none',
    log('file: "{{data}}/a.log", format: json, fields: { gpc: "a b", dnt: d }'),
    at('.fields.gpc'),
    /not a name of a field/,
  ],
];

const rows = [
  ...structure,
  ...yamlFaults,
  ...settings,
  ...templates,
  ...rehearsals,
  ...releases,
  ...telemetry,
  ...counting,
  ...accessLogs,
];

test.each(rows.map((row) => ({ row, name: `${row[0]} -> ${row[1]}`.slice(0, 150) })))('$name', ({ row }) => {
  const [from, to, where, says, line] = row;
  const text = edited(from, to);
  const failure = failureOf(text);
  expect(failure.code).toBe('usage-manifest');
  expect(failure.exit).toBe(2);
  expect(failure.advice).toContain('assent products check some/manifest.yaml');
  const at = `some/manifest.yaml:${line ?? firstDifference(baseManifest, text)}:`;
  const found = failure.message.split('\n').find((one) => one.startsWith(at) && one.includes(`: ${where}: `));
  expect(found, failure.message).toBeDefined();
  expect(found).toMatch(says);
  expect(found).toMatch(/^some\/manifest\.yaml:\d+:\d+: .+: .+ — \S.*$/);
});

test('a login that the manifest does not have is sent by no question about the own telemetry either', () => {
  const text = edited('login: { user: "{{user}}", secret: webPassword }\n', '')
    .replace('status: 200, login: true', 'status: 200')
    .replace('json: { path: telemetry }', 'login: true, json: { path: telemetry }');
  expect(failureOf(text).message).toMatch(
    /has one fault:\n.*: defaults\.ownTelemetry\.readBack\.login: the manifest has no login — add "login/,
  );
});

test('texts that are no manifest at all', () => {
  expect(failureOf('').message).toMatch(/manifest.yaml:1:1: file: is not a YAML map — /);
  expect(failureOf('- a\n- b\n').message).toMatch(/is not a YAML map/);
  expect(failureOf('just words').message).toMatch(/is not a YAML map/);
  expect(failureOf(`a: ${'['.repeat(100_000)}`).message).toMatch(/nested too deeply|—/);
  expect(failureOf(`# ${'x'.repeat(300_000)}\n${baseManifest}`).message).toMatch(/characters long — at most 262144/);
  expect(failureOf('\u0000\u0001').code).toBe('usage-manifest');
});

test('every fault is reported at once, in the order of the lines', () => {
  const text = edited('name: sample', 'name: Sample')
    .replace('default: 1080', 'default: 0')
    .replace('period: week', 'period: hour');
  const lines = failureOf(text).message.split('\n');
  expect(lines[0]).toBe('some/manifest.yaml has 3 faults:');
  expect(lines.slice(1).map((line) => Number(line.split(':')[1]))).toEqual([2, 8, 58]);
});

test('faults of the structure hide neither keys that a release lacks nor names that nothing knows', () => {
  const lacking = edited('  data: { format: 1 }\n', '').replace('default: 1080', 'default: 0');
  expect(failureOf(lacking).message).toMatch(/webPort\.default: .*\n.*releases\[0\]\.data: is missing/);
  const misnamed = edited('title: Sample\n', 'titel: Sample\n').replace('"--web", "{{webPort}}"', '"{{nothing}}"');
  const [head, ...lines] = failureOf(misnamed).message.split('\n');
  expect(head).toBe('some/manifest.yaml has 3 faults:');
  expect(lines.map((line) => / ([\w.[\]]+): /.exec(line)?.[1])).toEqual([
    'title',
    'titel',
    'defaults.service.command[2]',
  ]);
});

test('what is at fault is not told again as its consequence', () => {
  const lines = failureOf(edited('  data: { format: 1 }\n', '  data: { format: none }\n')).message.split('\n');
  expect(lines).toHaveLength(2);
});

test('a fault in the defaults is one fault, however many releases use them', () => {
  const lines = failureOf(edited('"--web", "{{webPort}}"', '"--web", "{{nothing}}"')).message.split('\n');
  expect(lines).toHaveLength(2);
});

test('control characters of a file do not reach the message', () => {
  const message = failureOf(edited('period: week', 'period: "\\e[2J"')).message;
  expect(message).toContain('\\u001b[2J');
  expect(message).not.toContain('\u001b');
  expect(failureOf(edited('  period:', '  "per\\e[2Jiod":')).message).toContain(
    'telemetry.per\\u001b[2Jiod: is an unknown key',
  );
});

function failureOf(text: string): Failure {
  try {
    parseManifest(text, 'some/manifest.yaml');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the manifest was accepted');
}
