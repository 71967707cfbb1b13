import type { Operation, Violation } from '../check/types';
import type { Episode } from '../nemesis';

/** The figures of a run. Times are milliseconds. */
export interface Report {
  readonly seed: number;
  readonly seconds: number;
  /** Whether every acknowledged command had its outcome in the end, before the time was up. */
  readonly isQuiet: boolean;
  readonly operations: { readonly all: number; readonly commands: number; readonly reads: number };
  readonly results: { readonly ok: number; readonly fail: number; readonly unknown: number };
  /** By fault, how often it was injected, how often it could not be, and how often nothing worked again in time. */
  readonly faults: Readonly<Record<string, FaultCounts>>;
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  readonly violations: Readonly<Record<string, number>>;
  readonly violationCount: number;
  readonly healMs: Quantiles;
  readonly commandMs: Quantiles;
  /** The share of commands that were acknowledged, of those sent while this was broken; null where none was sent. */
  readonly availability: Readonly<Record<string, number | null>>;
}

interface FaultCounts {
  injected: number;
  notInjected: number;
  notRecovered: number;
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
}): Report {
  const { seed, isQuiet, operations, episodes, violations, leftOut } = run;
  const commands = operations.filter(({ ask, client }) => ask.kind === 'command' && client > 0);
  const injected = episodes.filter(({ problem }) => problem === undefined);
  return {
    seed,
    seconds: Math.round((operations.at(-1)?.end ?? 0) / 1_000),
    isQuiet,
    operations: {
      all: operations.length,
      commands: operations.filter(({ ask }) => ask.kind === 'command').length,
      reads: operations.filter(({ ask }) => ask.kind.startsWith('read')).length,
    },
    results: {
      ok: operations.filter(({ result }) => result === 'ok').length,
      fail: operations.filter(({ result }) => result === 'fail').length,
      unknown: operations.filter(({ result }) => result === 'unknown').length,
    },
    faults: countFaults(episodes),
    leftOut,
    violations: countBy(violations.map(({ kind }) => kind)),
    violationCount: violations.length,
    healMs: quantiles(injected.flatMap(({ recoveredAt, healedAt }) => (recoveredAt ? [recoveredAt - healedAt] : []))),
    commandMs: quantiles(
      commands.filter(({ status, ask }) => status === 202 && isUnwaited(ask)).map(({ start, end }) => end - start),
    ),
    availability: {
      'always, faults included': share(commands),
      'while Temporal is broken': share(during(commands, injected, ['temporal'])),
      'while Postgres is broken': share(during(commands, injected, ['postgres'])),
      'while workers are broken': share(during(commands, injected, ['worker'])),
      'while command APIs are broken': share(during(commands, injected, ['commands'])),
      'while query APIs are broken': share(during(commands, injected, ['queries'])),
    },
  };
}

const isUnwaited = (ask: Operation['ask']): boolean => ask.kind === 'command' && ask.waitSeconds === 0;

function countFaults(episodes: readonly Episode[]): Record<string, FaultCounts> {
  const counts: Record<string, FaultCounts> = {};
  for (const { fault, problem, recoveredAt } of episodes) {
    counts[fault] ??= { injected: 0, notInjected: 0, notRecovered: 0 };
    const count = counts[fault];
    if (problem !== undefined) count.notInjected += 1;
    else count.injected += 1;
    if (recoveredAt === undefined) count.notRecovered += 1;
  }
  return counts;
}

/** How often each name occurs. */
export function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Operations that began while one of these was broken. */
function during(operations: readonly Operation[], episodes: readonly Episode[], touched: readonly string[]) {
  const broken = episodes.filter(({ touches }) => touched.includes(touches));
  return operations.filter(({ start }) =>
    broken.some(({ injectedAt, healedAt }) => start >= injectedAt && start <= healedAt),
  );
}

function share(commands: readonly Operation[]): number | null {
  if (commands.length === 0) return null;
  return Math.round((commands.filter(isTaken).length / commands.length) * 10_000) / 10_000;
}

/** What a working system rejects for a reason of its own is taken, too. */
const isTaken = ({ result, status }: Operation): boolean => result === 'ok' || (status !== undefined && status < 500);

/** The median, the 99th percentile and the largest of these values; null where there is none. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return value === undefined ? null : Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
