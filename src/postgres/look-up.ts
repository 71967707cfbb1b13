import DataLoader from 'dataloader';

const keysAtOnce = 50;

/**
 * A look-up that asks once for all keys which are wanted at the same moment: under load a statement costs more than its rows.
 * Nothing is kept from one moment to the next. Where the statement fails, all who took part are told.
 * @param find gives what it finds by key.
 * @returns what finds a key's, or undefined.
 */
export function createLookUp<Found>(
  find: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
): (key: string) => Promise<Found | undefined> {
  const loader = new DataLoader<string, Found | undefined>(
    async (keys) => {
      const found = await find(keys);
      return keys.map((key) => found.get(key));
    },
    // By the next turn of the event loop every request that has arrived has said what it wants.
    { cache: false, maxBatchSize: keysAtOnce, batchScheduleFn: setImmediate },
  );
  return (key) => loader.load(key);
}
