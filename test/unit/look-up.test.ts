import { createLookUp } from '../../src/postgres/look-up';

/** A look-up of the length of a text; a text that begins with `no` is not found. */
function lengths() {
  const queried: string[][] = [];
  const lookUp = createLookUp(async (keys) => {
    queried.push([...keys]);
    return new Map(keys.filter((key) => !key.startsWith('no')).map((key) => [key, key.length]));
  });
  return { queried, lookUp };
}

describe('a look-up', () => {
  it('sends one query for the keys of the same moment, and returns to each caller its own value', async () => {
    const { queried, lookUp } = lengths();
    expect(await Promise.all(['a', 'nothing', 'abc', 'a'].map(lookUp))).toEqual([1, undefined, 3, 1]);
    expect(queried).toEqual([['a', 'nothing', 'abc', 'a']]);
  });

  it('queries again for a later key, because its value may have changed', async () => {
    const { queried, lookUp } = lengths();
    await lookUp('a');
    await lookUp('a');
    expect(queried).toEqual([['a'], ['a']]);
  });

  it('queries for a key that is requested during a query', async () => {
    const { queried, lookUp } = lengths();
    const first = lookUp('a');
    while (queried.length === 0) await new Promise(setImmediate);
    await Promise.all([first, lookUp('a')]);
    expect(queried).toEqual([['a'], ['a']]);
  });

  it('queries many keys in parts', async () => {
    const { queried, lookUp } = lengths();
    const keys = Array.from({ length: 120 }, (_, n) => `k${n}`);
    await Promise.all(keys.map(lookUp));
    expect(queried.map((part) => part.length)).toEqual([50, 50, 20]);
    expect(queried.flat()).toEqual(keys);
  });

  it('fails for all callers of a failed query, and works again afterwards', async () => {
    let isAway = true;
    const lookUp = createLookUp(async () => {
      if (isAway) throw new Error('away');
      return new Map([['a', 1]]);
    });
    const outcomes = await Promise.allSettled([lookUp('a'), lookUp('b')]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    expect(await lookUp('a')).toBe(1);
  });
});
