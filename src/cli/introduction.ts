/** What `assent` says of itself in its help. */
export const introduction = {
  summary: 'Installs, upgrades and rolls back self-hosted servers, and asks for telemetry consent at every change.',
  after: `Examples:
  $ assent install                       guided installation of the default product
  $ assent status                        what is installed, and how it is
  $ assent upgrade --yes --telemetry=off for scripts: no question, no telemetry
  $ assent telemetry off                 end consent now, whatever is going on

Help on a command: assent <command> --help`,
} as const;
