import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Something that runs now and again, until it is closed. */
export interface Repeated {
  /** Stops the task and waits until it has ended. */
  close(): Promise<void>;
}

/**
 * Runs a task now, and again each time this long after it has ended. An error is logged, and the task runs again.
 * @param what the task in words, for the log.
 */
export function repeat(
  logger: Logger,
  what: string,
  everyMs: number,
  task: (signal: AbortSignal) => Promise<void>,
): Repeated {
  const stop = new AbortController();
  const { signal } = stop;
  const run = async () => {
    while (!signal.aborted) {
      await task(signal).catch((error) => {
        if (!signal.aborted) logger.error({ err: error }, `${what} failed; it runs again in ${everyMs / 1_000} s`);
      });
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async close() {
      stop.abort();
      await running;
    },
  };
}
