/**
 * Runs the task for every item, at most `atOnce` at the same time. If a task fails, it starts no more tasks, waits for
 * the running ones and throws the same error.
 */
export async function forEachAtOnce<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      // The error is collected, because nothing awaits a task that fails while the next item is read.
      const ended: Promise<void> = task(item)
        .catch((error) => void failures.push(error))
        .finally(() => running.delete(ended));
      running.add(ended);
      if (running.size >= atOnce) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
