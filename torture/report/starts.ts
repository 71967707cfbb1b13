import { stopLimitMs } from './restarts';
import { countBy, type Quantiles, quantiles } from './summary';

/** One start of everything, and the stop after it. Times are milliseconds. */
export interface Start {
  readonly number: number;
  /** Where the start before it was killed: how long after its launch. */
  readonly killedAfterMs?: number | undefined;
  /** Whether another process grabbed ports meanwhile. */
  readonly isBesideGrabber: boolean;
  /** From its launch; undefined where it did not become ready. */
  readonly readyMs?: number | undefined;
  readonly exitCode: number | null;
  /** From SIGTERM until it had ended. */
  readonly stoppedMs: number;
  /** What it said, where it did not become ready. */
  readonly errors?: string;
}

export interface StartReport {
  readonly seed: number;
  readonly all: StartFigures;
  readonly afterKill: StartFigures;
  readonly besideGrabber: StartFigures;
  readonly exitCodes: Readonly<Record<string, number>>;
  readonly stoppedMs: Quantiles;
  readonly notReady: readonly Start[];
  /** Whether every start became ready, and every stop ended with 0 in time. */
  readonly hasPassed: boolean;
}

interface StartFigures {
  readonly starts: number;
  readonly ready: number;
  readonly readyMs: Quantiles;
}

/** Makes the figures of many starts. */
export function summariseStarts(seed: number, starts: readonly Start[]): StartReport {
  const notReady = starts.filter(({ readyMs }) => readyMs === undefined);
  const isInOrder = starts.every(({ exitCode, stoppedMs }) => exitCode === 0 && stoppedMs <= stopLimitMs);
  return {
    seed,
    all: figuresOf(starts),
    afterKill: figuresOf(starts.filter(({ killedAfterMs }) => killedAfterMs !== undefined)),
    besideGrabber: figuresOf(starts.filter(({ isBesideGrabber }) => isBesideGrabber)),
    exitCodes: countBy(starts.map(({ exitCode }) => String(exitCode))),
    stoppedMs: quantiles(starts.map(({ stoppedMs }) => stoppedMs)),
    notReady,
    hasPassed: notReady.length === 0 && isInOrder,
  };
}

function figuresOf(starts: readonly Start[]): StartFigures {
  const readyMs = starts.flatMap((start) => start.readyMs ?? []);
  return { starts: starts.length, ready: readyMs.length, readyMs: quantiles(readyMs) };
}
