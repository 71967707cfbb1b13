import { setTimeout as delay } from 'node:timers/promises';

/** How large a load is: how many rounds it has, and what part of its commands and carts. */
export interface Scale {
  readonly rounds: number;
  readonly of: (count: number) => number;
}

/** The figures of one contestant, one for each round. */
export type Rounds = readonly number[];

/**
 * Runs all contestants in each round. Each round starts with another contestant, so that none is always first.
 * @param restMs the pause after each turn, so that unfinished work of one contestant does not count for the next.
 */
export async function alternate<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, (round: number) => Promise<number>>>,
  restMs = 0,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length]!;
      figures[name].push(await contestants[name](round));
      await delay(restMs);
    }
  }
  return figures;
}

/** The median, the lowest and the highest of some figures. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spread(figures: Rounds): Spread {
  return { median: median(figures), low: Math.min(...figures), high: Math.max(...figures) };
}

export const median = (figures: Rounds): number => quantile(figures, 0.5);

/** One contestant's figures divided by another's, round by round. */
export const ratios = (ours: Rounds, theirs: Rounds): number[] => ours.map((figure, round) => figure / theirs[round]!);

export function quantile(figures: Rounds, q: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

/** Runs the tasks, at most `atOnce` at the same time. @returns the milliseconds that each took. */
export async function runAtOnce(
  tasks: number,
  atOnce: number,
  run: (task: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  let next = 0;
  const lane = async () => {
    for (let task = next++; task < tasks; task = next++) {
      const started = performance.now();
      await run(task);
      took[task] = performance.now() - started;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks) }, lane));
  return took;
}

/** How many per second, where `run` does `count`. */
export async function rate(count: number, run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return (count / (performance.now() - started)) * 1_000;
}

/** Waits until the condition holds. @throws Error with `what` after ten minutes. */
export async function until(what: string, holds: () => Promise<boolean>, everyMs = 20): Promise<void> {
  const deadline = Date.now() + 600_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`This did not happen within ten minutes: ${what}`);
    await delay(everyMs);
  }
}
