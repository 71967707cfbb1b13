import { setTimeout as delay } from 'node:timers/promises';

/** Calls `ask` until it returns an answer. @throws Error with `what` where there is none in time. */
export async function until<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined | false>,
  withinMs = 150_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) {
      const missing = typeof what === 'string' ? what : what();
      throw new Error(`This did not happen within ${withinMs / 1_000} s: ${missing}`);
    }
    await delay(25);
  }
}
