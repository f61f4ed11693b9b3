/** What `assent` says of itself in its help. */
export const introduction = {
  summary: 'Installs, upgrades and rolls back self-hosted servers, and asks for telemetry consent at every change.',
  /** What is typed, and what it does. */
  examples: [
    ['assent install', 'guided installation of MailDev'],
    ['assent status', 'what is installed, and how it is'],
    ['assent upgrade --yes --telemetry=off', 'for scripts: no question, no telemetry'],
    ['assent telemetry off', 'end consent now, whatever is going on'],
  ],
  after: 'Help on a command: assent <command> --help',
} as const;
