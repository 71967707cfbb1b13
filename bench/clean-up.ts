/** Keeps what would outlive this process, such as servers and child processes, and stops it at the end. */
export interface CleanUp {
  /**
   * Starts something that `stopAll` stops. `stopAll` also waits for what is still starting, and then stops it.
   * @throws Error once `stopAll` was called: nothing new starts then.
   */
  start<T>(start: () => Promise<T>, stop: (started: T) => Promise<unknown>): Promise<T>;
  /** Stops everything, the newest first. @returns the errors of what could not be stopped. */
  stopAll(): Promise<unknown[]>;
}

export function createCleanUp(): CleanUp {
  const stops: (() => Promise<unknown>)[] = [];
  let isEnding = false;
  return {
    async start(start, stop) {
      if (isEnding) throw new Error('The benchmark is ending.');
      const starting = start();
      stops.push(() => starting.then(stop, () => undefined));
      return starting;
    },
    async stopAll() {
      isEnding = true;
      const errors: unknown[] = [];
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
        await stop().catch((error) => errors.push(error));
      }
      return errors;
    },
  };
}

/** Why the benchmark ends before all loads have run. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Rejects at a signal to end the process, or at an error that nobody handles. Later signals and errors, for example of
 * interrupted work, are ignored, so that the clean-up can finish.
 */
export function untilInterrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const [signal, number] of Object.entries(signals)) {
      process.on(signal, () => reject(new Interruption(`${signal}: stopping`, 128 + number)));
    }
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });
}
