// What we use of npm's libraries that come without types. Sources: their own code, @npmcli/config 11 and @npmcli/agent 5.
declare module '@npmcli/config/lib/definitions/index.js' {
  import type Config from '@npmcli/config';

  const all: {
    definitions: Config.DefinitionsObject;
    shorthands: Config.ShortFlags;
    flatten: (config: object, flat: object) => void;
    nerfDarts: string[];
  };
  export = all;
}

declare module '@npmcli/agent' {
  const all: { getAgent: (url: string, options: Readonly<Record<string, unknown>>) => object };
  export = all;
}
