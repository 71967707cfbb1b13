/** Takes a fair random sample of a stream of unknown length (reservoir sampling). */
export async function* sampleOf<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T> {
  const chosen: T[] = [];
  let count = 0;
  for await (const item of items) {
    count += 1;
    const index = count <= size ? count - 1 : Math.floor(Math.random() * count);
    if (index < size) chosen[index] = item;
  }
  yield* chosen;
}
