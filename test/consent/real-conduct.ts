/** The real command's own way through a change, without a terminal, for what a home of these tests can bear: a dry run, or one that is refused. */
import { conduct } from '../../src/change/conduct.ts';
import type { ChangeRequest } from '../../src/change/request.ts';
import { portsOf } from '../../src/cli/change.ts';
import { flagsOf } from '../../src/cli/flags.ts';
import type { Invocation } from '../../src/cli/invocation.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { type Home, testWorld } from './support.ts';

type Request = Partial<ChangeRequest> & { readonly kind: ChangeRequest['kind'] };

/** With `--telemetry=off`, unless told otherwise; the code of what it throws. */
export const refusalOf = async (home: Home, request: Request): Promise<unknown> => {
  const invocation: Invocation = {
    world: testWorld({ cwd: home.folder, terminal: { ...home.world.terminal, stdin: false, stdout: false } }),
    home: home.folder,
    flags: flagsOf({ json: true }),
    operands: [],
    look: { paint: noPaint, symbols: symbolsFor({}), columns: 80 },
    say: () => {},
  };
  const off: ChangeRequest = {
    ...{ given: {}, ack: [], yes: true, dryRun: false },
    telemetry: { say: 'off', by: 'flag' },
    ...request,
  };
  return conduct(portsOf(invocation, true).ports, off).then(
    () => 'not refused',
    (error: { code?: string }) => error.code ?? error,
  );
};
