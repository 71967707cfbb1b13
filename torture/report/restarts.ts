import type { Operation } from '../check/types';
import type { Restart } from '../world/role-process';
import { countBy, type Quantiles, quantiles } from './summary';

/** One restart of a process of this role. */
export interface RoleRestart extends Restart {
  readonly role: string;
}

/** What rolling restarts under load did to requests and processes. Times are milliseconds. */
export interface RestartReport {
  readonly seed: number;
  readonly requests: { readonly sent: number; readonly failed: number; readonly ms: Quantiles };
  /** Failed requests by what they asked for and how they were answered. */
  readonly failures: Readonly<Record<string, number>>;
  readonly roles: Readonly<Record<string, RoleFigures>>;
  /** Whether no request failed, and every process ended with 0 in time. */
  readonly hasPassed: boolean;
}

interface RoleFigures {
  readonly restarts: number;
  readonly exitCodes: Readonly<Record<string, number>>;
  /** From SIGTERM until the process had ended. */
  readonly stoppedMs: Quantiles;
  /** From SIGTERM until the next process was ready. */
  readonly readyMs: Quantiles;
}

/** How long a role may take to stop (docs/operations.md). */
export const stopLimitMs = 10_000;

/** Makes the figures of rolling restarts. */
export function summariseRestarts(
  seed: number,
  operations: readonly Operation[],
  restarts: readonly RoleRestart[],
): RestartReport {
  const failed = operations.filter(hasFailed);
  const names = [...new Set(restarts.map(({ role }) => role))];
  const figures = names.map((name) => [name, figuresOf(restarts.filter(({ role }) => role === name))] as const);
  const isInOrder = restarts.every(({ exitCode, stoppedMs }) => exitCode === 0 && stoppedMs <= stopLimitMs);
  return {
    seed,
    requests: {
      sent: operations.length,
      failed: failed.length,
      ms: quantiles(operations.map(({ start, end }) => end - start)),
    },
    failures: countBy(failed.map(({ ask, status }) => `${ask.kind}: ${status ?? 'no answer'}`)),
    roles: Object.fromEntries(figures),
    hasPassed: failed.length === 0 && isInOrder,
  };
}

const figuresOf = (restarts: readonly RoleRestart[]): RoleFigures => ({
  restarts: restarts.length,
  exitCodes: countBy(restarts.map(({ exitCode }) => String(exitCode))),
  stoppedMs: quantiles(restarts.map(({ stoppedMs }) => stoppedMs)),
  readyMs: quantiles(restarts.map(({ readyMs }) => readyMs)),
});

const hasFailed = ({ status }: Operation): boolean => status === undefined || status >= 500;
