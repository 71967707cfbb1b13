/** Runs the task for every item, at most `atOnce` at the same time. After a task failed it begins no other, and fails alike. */
export async function forEachAtOnce<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      // A task may fail while the next item is waited for, when nobody looks.
      const done: Promise<void> = task(item)
        .catch((error) => void failures.push(error))
        .finally(() => running.delete(done));
      running.add(done);
      if (running.size >= atOnce) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
