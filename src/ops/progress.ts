import { Presets, SingleBar } from 'cli-progress';
import type { Knex } from 'knex';
import { reportProcess, type TaskState } from '../postgres/processes';

export interface ProgressBar {
  set(done: number): void;
  /** @param result what the command found, in words. */
  stop(result: string): Promise<void>;
}

const reportEveryMs = 1_000;

/** Shows and reports how far a command has come. */
export function startProgress(db: Knex, what: string, total?: number): ProgressBar {
  const amount = total === undefined ? '{value}' : '{bar} {value} of {total} · {eta_formatted} left';
  const options = { format: `${what}: ${amount} · {rate}/s`, clearOnComplete: true, hideCursor: true };
  const bar = new SingleBar(options, Presets.shades_classic);
  const startedAt = performance.now();
  bar.start(total ?? 0, 0, { rate: 0 });
  const report = createReporter(db, what);
  let reportedAt = 0;
  let last = 0;
  return {
    set(done) {
      const now = performance.now();
      last = done;
      bar.update(done, { rate: Math.round(done / Math.max((now - startedAt) / 1_000, 0.001)) });
      if (now - reportedAt < reportEveryMs) return;
      reportedAt = now;
      void report({ done, total });
    },
    async stop(result) {
      bar.stop();
      await report({ done: last, total, result });
    },
  };
}

/** Reports one after another. A report is lost where the tables are older than it: the command goes on. */
function createReporter(db: Knex, kind: string) {
  const startedAt = new Date();
  const name = `${kind} ${startedAt.toISOString()} ${process.pid}`;
  let last: Promise<void> = Promise.resolve();
  return (state: TaskState): Promise<void> => {
    const endedAt = state.result === undefined ? undefined : new Date();
    const write = () => reportProcess(db, { name, kind, startedAt, endedAt, state }).catch(() => undefined);
    last = last.then(write);
    return last;
  };
}
