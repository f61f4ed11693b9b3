/**
 * `assent telemetry prove [NAME]`: runs copies of the server in a network that leads nowhere, with consent off and on, and shows what each of
 * them sent, asked for and wrote. Exit 3 where something would have left with consent off, and where nothing could be proved.
 */
import { Failure } from '../../errors.ts';
import { instancePaths } from '../../instance/paths.ts';
import { readState } from '../../instance/state.ts';
import { onEndingSignal } from '../../system/signals.ts';
import type { Proof } from '../../telemetry/prove/prove.ts';
import { proofLines } from '../../ui/views/proof.ts';
import type { Run } from '../invocation.ts';
import { pickOwn } from '../reading.ts';

export const run: Run = async ({ world, home, flags, operands, look, say }) => {
  const { prove } = await import('../../telemetry/prove/prove.ts');
  const paths = instancePaths(home, await pickOwn(world, home, flags, operands[0]));
  const seconds = flags.seconds ?? 10;
  const stopping = new AbortController();
  const off = onEndingSignal(() => stopping.abort());
  const onRun = (consent: 'off' | 'on'): void => {
    if (!flags.quiet) say([`  ${look.symbols.dot} running a copy of ${paths.name} with consent ${consent} ...`]);
  };
  try {
    const proof = await prove(world, paths, { seconds, onRun, until: stopping.signal });
    const state = readState(paths);
    const title = `${state?.title ?? paths.name} ${state?.release.version ?? ''}`.trim();
    return {
      result: { outcome: 'unchanged', changed: false, proof },
      screen: flags.quiet ? [] : proofLines(paths.name, title, proof, look),
      ...failureOf(title, proof),
    };
  } finally {
    off();
  }
};

const failureOf = (title: string, { verdict, reasons }: Proof): { failure?: Failure } => {
  if (verdict === 'clean') return {};
  const [first = '', ...others] = reasons;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  if (verdict === 'unproven') {
    return {
      failure: new Failure(
        'refused-check',
        `Nothing is proved: ${first}${more}.`,
        'Mend that, and run it again. The running server was not touched.',
      ),
    };
  }
  return {
    failure: new Failure(
      'refused-findings',
      `${title} would have left this machine although consent is off: ${first}${more}.`,
      'Where that is no telemetry, its maker has to say what it is; where it is, its switch lies. Nothing got out now, and the running server was not touched.',
    ),
  };
};
