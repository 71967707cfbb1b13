/** Runs the task for every item, at most `atOnce` at the same time. Stops at the first task that fails. */
export async function forEachAtOnce<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const item of items) {
    const done: Promise<void> = task(item).finally(() => running.delete(done));
    running.add(done);
    if (running.size >= atOnce) await Promise.race(running);
  }
  await Promise.all(running);
}
