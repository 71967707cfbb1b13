import DataLoader from 'dataloader';

const keysAtOnce = 50;

/**
 * Creates a look-up that finds all keys which are requested together with one call of `find`, because under load a
 * statement costs more than its rows. It has no cache. If `find` fails, all its callers get the error.
 * @param find returns what it found, by key.
 * @returns a function that looks up one key. It returns undefined if `find` did not find the key.
 */
export function createLookUp<Found>(
  find: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
): (key: string) => Promise<Found | undefined> {
  const loader = new DataLoader<string, Found | undefined>(
    async (keys) => {
      const found = await find(keys);
      return keys.map((key) => found.get(key));
    },
    // By the next turn of the event loop, all requests that have arrived have added their keys.
    { cache: false, maxBatchSize: keysAtOnce, batchScheduleFn: setImmediate },
  );
  return (key) => loader.load(key);
}
