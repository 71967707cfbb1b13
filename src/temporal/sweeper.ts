import type { Logger } from 'pino';
import { type HistorySource, sweepClosedRuns } from './histories';

const hourMs = 3_600_000;

/**
 * Archives closed runs now and every hour: those that no next run archives because their chain ended, or ended in haste. An
 * error is logged, and the next sweep tries again.
 */
export function sweepHourly(source: HistorySource, logger: Logger): { close(): Promise<void> } {
  const stop = new AbortController();
  const sweep = async () => {
    try {
      const archived = await sweepClosedRuns(source, stop.signal);
      if (archived > 0) logger.info({ archived }, 'archived closed runs');
    } catch (error) {
      if (!stop.signal.aborted) logger.error({ err: error }, 'the sweep of closed runs failed; the next is in an hour');
    }
  };
  let sweeping = sweep();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep);
  }, hourMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      stop.abort();
      await sweeping;
    },
  };
}
