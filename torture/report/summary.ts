import { groupBy } from '../check/story';
import type { Operation, Violation } from '../check/types';
import type { Episode } from '../nemesis';
import { healTime } from './heal';
import { isTaken, measureTargets, type Target } from './targets';

/** The figures of a run. Times are milliseconds. */
export interface Report {
  readonly seed: number;
  readonly seconds: number;
  /** Whether every acknowledged command had its outcome in the end, before the time was up. */
  readonly isQuiet: boolean;
  readonly operations: Readonly<Record<'all' | 'commands' | 'batches' | 'merges' | 'reads', number>>;
  readonly results: { readonly ok: number; readonly fail: number; readonly unknown: number };
  readonly faults: Readonly<Record<string, FaultFigures>>;
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  readonly violations: Readonly<Record<string, number>>;
  readonly violationCount: number;
  readonly healMs: Quantiles;
  readonly commandMs: Quantiles;
  /** The shares of commands and reads that were taken, of those sent while this was broken; null where none was. */
  readonly availability: Readonly<Record<string, { readonly commands: number | null; readonly reads: number | null }>>;
  readonly targets: readonly Target[];
  /** With buttons: the time from the last press until `ops verify` found nothing; null where it always did. */
  readonly verifiedAfterMs?: number | null;
  /** Whether nothing was found, everything became quiet, and no target was missed. */
  readonly hasPassed: boolean;
}

/** How often a fault was injected, could not be injected, or nothing worked again in time, and how long that took. */
interface FaultFigures {
  readonly injected: number;
  readonly notInjected: number;
  readonly notRecovered: number;
  readonly healMs: Quantiles;
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export function summarise(run: {
  readonly seed: number;
  readonly isQuiet: boolean;
  readonly operations: readonly Operation[];
  readonly episodes: readonly Episode[];
  readonly violations: readonly Violation[];
  readonly leftOut: Report['leftOut'];
  readonly verifiedAfterMs?: number | null;
}): Report {
  const { seed, isQuiet, operations, episodes, violations, leftOut, verifiedAfterMs } = run;
  const commands = operations.filter(({ ask, client }) => ask.kind === 'command' && client > 0);
  const countOf = (kind: Operation['ask']['kind']) => operations.filter(({ ask }) => ask.kind === kind).length;
  const reads = operations.filter(({ ask }) => ask.kind.startsWith('read'));
  const injected = episodes.filter(({ problem }) => problem === undefined);
  const targets = measureTargets(operations, episodes);
  return {
    seed,
    seconds: Math.round((operations.at(-1)?.end ?? 0) / 1_000),
    isQuiet,
    operations: {
      all: operations.length,
      commands: countOf('command'),
      batches: countOf('batch'),
      merges: countOf('merge'),
      reads: reads.length,
    },
    results: {
      ok: operations.filter(({ result }) => result === 'ok').length,
      fail: operations.filter(({ result }) => result === 'fail').length,
      unknown: operations.filter(({ result }) => result === 'unknown').length,
    },
    faults: figuresByFault(episodes),
    leftOut,
    violations: countBy(violations.map(({ kind }) => kind)),
    violationCount: violations.length,
    healMs: quantiles(healTimes(injected, injected)),
    commandMs: quantiles(
      commands.filter(({ status, ask }) => status === 202 && isUnwaited(ask)).map(({ start, end }) => end - start),
    ),
    availability: Object.fromEntries(
      Object.entries(situations).map(([name, touched]) => {
        const isMeant = touched === undefined ? () => true : during(injected, touched);
        return [name, { commands: share(commands.filter(isMeant)), reads: share(reads.filter(isMeant)) }];
      }),
    ),
    targets,
    ...(verifiedAfterMs === undefined ? {} : { verifiedAfterMs }),
    hasPassed:
      violations.length === 0 &&
      isQuiet &&
      isVerifiedInTime(verifiedAfterMs) &&
      targets.every(({ isMet }) => isMet !== false),
  };
}

/** Whether `ops verify` found nothing within a minute after the last press, where buttons were pressed. */
export const isVerifiedInTime = (afterMs: number | null | undefined): boolean =>
  afterMs === undefined || (afterMs !== null && afterMs <= 60_000);

/** By what a fault touches. */
const situations: Readonly<Record<string, string | undefined>> = {
  'always, faults included': undefined,
  'while Temporal is broken': 'temporal',
  'while Postgres is broken': 'postgres',
  'while workers are broken': 'worker',
  'while command APIs are broken': 'commands',
  'while query APIs are broken': 'queries',
};

const isUnwaited = (ask: Operation['ask']): boolean => ask.kind === 'command' && ask.waitSeconds === 0;

const healTimes = (measured: readonly Episode[], episodes: readonly Episode[]): number[] =>
  measured.flatMap((episode) => healTime(episode, episodes) ?? []);

function figuresByFault(episodes: readonly Episode[]): Record<string, FaultFigures> {
  const entries = [...groupBy(episodes, ({ fault }) => fault)].map(([fault, all]) => {
    const injected = all.filter(({ problem }) => problem === undefined);
    const figures = {
      injected: injected.length,
      notInjected: all.length - injected.length,
      notRecovered: injected.filter(({ recoveredAt }) => recoveredAt === undefined).length,
      healMs: quantiles(healTimes(injected, episodes)),
    };
    return [fault, figures] as const;
  });
  return Object.fromEntries(entries);
}

/** How often each name occurs. */
export function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Whether an operation began while something of this kind was broken. */
function during(episodes: readonly Episode[], touched: string): (operation: Operation) => boolean {
  const broken = episodes.filter(({ touches }) => touches === touched);
  return ({ start }) => broken.some(({ injectedAt, healedAt }) => start >= injectedAt && start <= healedAt);
}

function share(operations: readonly Operation[]): number | null {
  if (operations.length === 0) return null;
  return Math.round((operations.filter(isTaken).length / operations.length) * 10_000) / 10_000;
}

/** The median, the 99th percentile and the largest of these values; null where there is none. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return value === undefined ? null : Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
