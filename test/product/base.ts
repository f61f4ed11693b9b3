/** A small sound manifest, and ways to break it: what the tables of bad ones start from. */

export const baseManifest = `format: 1
name: sample
title: Sample
summary: A server for tests
homepage: https://example.org/
license: MIT
settings:
  webPort: { type: port, title: WebClient port, default: 1080 }
  smtpPort: { type: port, title: SMTP port, default: 1025 }
  listen: { type: address, title: Listen on, default: 127.0.0.1 }
  user: { type: text, title: User, default: admin, ask: false }
  mode: { type: choice, title: Mode, choices: [fast, safe], default: safe }
  verbose: { type: boolean, title: Verbose, default: false }
  limit: { type: integer, title: Limit, default: 5, min: 1, max: 10 }
  webPassword: { type: secret, title: WebClient password, generate: 20, ask: false }
urls:
  web: "http://{{listenHost}}:{{webPort}}"
  smtp: "{{listenHost}}:{{smtpPort}}"
login: { user: "{{user}}", secret: webPassword }
defaults:
  runtime: 24.21.0
  data: { format: 1 }
  service:
    command: ["{{node}}", "{{release}}/server.js", "--web", "{{webPort}}"]
    environment: { MODE: "{{mode}}" }
    environmentFile: server.env
    stopSignal: SIGTERM
    stopSeconds: 10
    prepare: [["{{node}}", "{{release}}/prepare.js"]]
  health:
    stableSeconds: 3
    checks:
      - { kind: http, url: "http://{{listenHost}}:{{webPort}}/", status: 200, login: true }
      - { kind: smtp, host: "{{listenHost}}", port: "{{smtpPort}}", banner: "^220 .*", version: "Sample/(\\\\S+)" }
      - { kind: command, command: ["{{node}}", "--version"], stdout: "^v" }
  config:
    - { template: templates/server.env, file: server.env, secret: true }
  ownTelemetry:
    summary: It would send its version to its maker
    off: [{ kind: json, file: "{{data}}/config.json", set: { telemetry: false } }]
    on: [{ kind: environment, name: SEND, value: "1" }]
    readBack: { kind: http, url: "http://{{listenHost}}:{{webPort}}/settings", json: { path: telemetry }, off: false, on: true }
    notice: { sends: its version, to: its maker, identifiers: none, restart: true }
releases:
  - version: 1.0.0
    source: { kind: npm, lock: locks/1.0.0 }
    size: { download: 1000, installed: 2000, files: 3 }
  - version: 2.0.0
    source: { kind: npm, lock: locks/2.0.0, rebuild: [better-sqlite3] }
    size: { download: 1000, installed: 2000, files: 3 }
    notes: [The data format stays]
telemetry:
  counters:
    - { name: mailbox-opened, title: mailbox opened, routes: ["GET /api/email", "GET /email/:id"] }
    - { name: message-deleted, title: message deleted, routes: ["DELETE /email/:id"] }
  dimensions: [browser, hour]
  smallestGroup: 5
  period: week
  retentionDays: 90
  recipient: none
`;

/** The base with one text replaced; the text has to be there. */
export const edited = (from: string, to: string): string => {
  if (!baseManifest.includes(from)) throw new Error(`the base manifest has no ${from}`);
  return baseManifest.replace(from, () => to);
};

/** Number of the first line in which two texts differ, from 1. */
export const firstDifference = (before: string, after: string): number => {
  const lines = before.split('\n');
  return after.split('\n').findIndex((line, at) => line !== lines[at]) + 1;
};
