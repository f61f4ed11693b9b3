/**
 * The loop around one server: prepare, start, wait, and after a pause again. It ends on TERM or INT, or (in the foreground) with the server.
 *
 * Each turn is in the record before and after it happens. What a server leaves behind when it dies is ended before the next
 * start, so a port is never held by a forgotten worker. Pauses are 1, 2, 4 .. 30 seconds, and 1 again after a stable minute.
 */

import { messageOf } from '../errors.ts';
import { type Child, type ChildExit, exitCodeOfChild, startChild } from '../system/child.ts';
import { statIfThere } from '../system/files.ts';
import { onSignals, type PassedSignal } from '../system/own-process.ts';
import { identify, type ProcessIdentity, run, signalProcess, sleep } from '../system/processes.ts';
import { type Stream, write } from '../system/terminal.ts';
import type { World } from '../system/world.ts';
import { environmentOfService } from './environment.ts';
import { openLog, serverLog } from './log-rotation.ts';
import { applyOwnTelemetry } from './own-telemetry.ts';
import { ownerFor } from './owner.ts';
import { type ProcessRecord, writeRecord } from './process-record.ts';
import type { ServiceSpec } from './spec.ts';
import { endServer } from './survivors.ts';

/** What goes on, shared by the loop and the signal handlers. */
interface Turn {
  stopping: boolean;
  child: Child | undefined;
  ending: Promise<void>;
}

interface Ended {
  readonly exit: ChildExit;
  readonly why: string;
}

export interface SuperviseOptions {
  /** Begun with the loop and ended with it; it may write into the server's log. */
  readonly beside?: (say: (text: string) => void) => { end(): void };
  /** In the foreground, where what the server writes to its standard output goes. Default: to ours. */
  readonly serverOut?: Stream;
}

/** Returns the exit code once the server has ended for good. */
export const supervise = async (
  world: World,
  spec: ServiceSpec,
  mode: 'foreground' | 'detached',
  specNow: () => ServiceSpec,
  { beside = () => ({ end: () => {} }), serverOut = 'out' }: SuperviseOptions = {},
): Promise<number> => {
  const turn: Turn = { stopping: false, child: undefined, ending: Promise.resolve() };
  const output = openOutput(world, spec, mode === 'foreground' ? { out: serverOut, err: 'err' } : null);
  const quiet = listen(spec, turn, mode);
  const note = recorder(world, spec, output.say);
  const besides = beside(output.say);
  try {
    for (let pause = 1; ; ) {
      // Without a word that there may be a server nobody would look for it.
      for (let again = pause; !note('starting', null); again = Math.min(again * 2, 30))
        if (!(await waited(again, turn))) return 0;
      const began = performance.now();
      const ended = await runOnce(world, specNow, turn, output, note, mode);
      const stable = performance.now() - began > 60_000;
      await turn.ending;
      output.say(ended.why);
      if (turn.stopping || mode === 'foreground') return exitCode(spec, turn, ended.exit);
      await endServer(spec, identityOf(turn));
      pause = stable ? 1 : pause;
      note('waiting', null, ended.why);
      output.say(`starting again in ${pause} s`);
      if (!(await waited(pause, turn))) return 0;
      pause = Math.min(pause * 2, 30);
    }
  } finally {
    quiet();
    besides.end();
    output.close();
  }
};

const runOnce = async (
  world: World,
  specNow: () => ServiceSpec,
  turn: Turn,
  output: Output,
  note: Recorder,
  mode: 'foreground' | 'detached',
): Promise<Ended> => {
  turn.child = undefined;
  let spec: ServiceSpec;
  try {
    spec = specNow();
    const environment = environmentOfService(spec, mode === 'foreground' ? passedOn(world) : {});
    await applyOwnTelemetry(spec);
    await prepare(spec, environment);
    if (turn.stopping) return { exit: { code: 0, signal: null }, why: 'stopped before it was started' };
    turn.child = await startChild(spec.command, {
      directory: spec.directory,
      environment,
      owner: ownerFor(spec),
      input: mode === 'foreground' ? 'inherit' : 'ignore',
      output: output.pass,
    });
  } catch (error) {
    return { exit: { code: 1, signal: null }, why: `can't be started: ${messageOf(error)}` };
  }
  const { child } = turn;
  note('running', child.identity ?? null);
  output.say(`started ${spec.title}, generation ${spec.generation}, process ${child.pid}`);
  if (turn.stopping) turn.ending = endServer(spec, child.identity ?? null);
  const exit = await child.exited;
  return { exit, why: exit.signal === null ? `ended with code ${exit.code}` : `ended by ${exit.signal}` };
};

/** What a container is given and means for the server: its time zone, and a veto of its own, which can only subtract. */
const passedOn = ({ env }: World): Record<string, string> => ({
  ...(env.TZ === undefined ? {} : { TZ: env.TZ }),
  ...(env.DO_NOT_TRACK === undefined ? {} : { DO_NOT_TRACK: env.DO_NOT_TRACK }),
});

const prepare = async (spec: ServiceSpec, env: Record<string, string>): Promise<void> => {
  const owner = ownerFor(spec);
  for (const command of spec.prepare) {
    const { code, signal, stderr } = await run(command, {
      cwd: spec.directory,
      env,
      timeoutMs: spec.startSeconds * 1000,
      ...(owner === undefined ? {} : { owner }),
    });
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${signal ?? code}: ${stderr.trim().slice(-500)}`);
  }
};

/** TERM and INT end the server by its own stop signal; what else a person sends is handed on to it. */
const listen = (spec: ServiceSpec, turn: Turn, mode: 'foreground' | 'detached'): (() => void) => {
  const stop = onSignals(['SIGTERM', 'SIGINT'], () => {
    if (turn.stopping) return;
    turn.stopping = true;
    turn.ending = endServer(spec, identityOf(turn));
  });
  // A detached run has no terminal to hang up: a HUP that reaches it says nothing.
  const others: PassedSignal[] = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'];
  const pass = onSignals(others, (signal) => {
    const main = identityOf(turn);
    if (main !== null && mode === 'foreground') signalProcess(main, signal);
  });
  return () => {
    stop();
    pass();
  };
};

const identityOf = ({ child }: Turn): ProcessIdentity | null => child?.identity ?? null;

/** An end by the signal that we sent is a normal one. */
const exitCode = (spec: ServiceSpec, { stopping }: Turn, exit: ChildExit): number =>
  stopping && exit.signal === spec.stopSignal ? 0 : exitCodeOfChild(exit);

/** In short naps, so that a stop during the pause is quick and nothing keeps the process alive afterwards. */
const waited = async (seconds: number, turn: Turn): Promise<boolean> => {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !turn.stopping) await sleep(20);
  return !turn.stopping;
};

/** False where it could not be written. */
type Recorder = (phase: ProcessRecord['phase'], child: ProcessIdentity | null, lastExit?: string) => boolean;

/** A disk that is full for a while stops no server: only the first record has to be written, for whoever starts us waits for it. */
const recorder = (world: World, spec: ServiceSpec, say: (text: string) => void): Recorder => {
  const supervisor = identify(world.pid);
  if (supervisor === undefined) throw new Error('our own process can not be seen in /proc');
  let restarts = -1;
  let last: string | null = null;
  return (phase, child, lastExit) => {
    const count = phase === 'starting' ? restarts + 1 : restarts;
    last = lastExit ?? last;
    const about = { format: 1, supervisor, generation: spec.generation, digest: spec.digest } as const;
    try {
      writeRecord(spec.paths, { ...about, child, phase, restarts: count, lastExit: last });
      restarts = count;
      return true;
    } catch (error) {
      // Without its folder the instance was deleted, or moved away from here.
      if (restarts < 0 || statIfThere(spec.paths.run) === undefined) throw error;
      say(`what becomes of the server can't be written down: ${messageOf(error)}`);
      return false;
    }
  };
};

interface Output {
  readonly pass: (bytes: Buffer, stream: Stream) => void;
  /** A line of our own. */
  readonly say: (text: string) => void;
  readonly close: () => void;
}

/** The server's log; in the foreground the terminal or the container's log as well: `shown` says which of ours gets which of the server's. */
const openOutput = (world: World, spec: ServiceSpec, shown: Readonly<Record<Stream, Stream>> | null): Output => {
  const log = openLog(serverLog(spec.paths.logs), ownerFor(spec)?.gid);
  const decoders = { out: new TextDecoder(), err: new TextDecoder() };
  return {
    pass: (bytes, stream) => {
      log.append(bytes);
      if (shown !== null) write(shown[stream], decoders[stream].decode(bytes, { stream: true }));
    },
    say: (text) => log.append(Buffer.from(`${world.now().toISOString()} assent: ${text}\n`)),
    close: log.close,
  };
};
