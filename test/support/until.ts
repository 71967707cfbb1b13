import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is there. @throws Error with `what` when a minute passed without it. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`This did not happen within a minute: ${what}`);
    await delay(25);
  }
}
