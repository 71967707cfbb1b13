import { createLookUp } from '../../src/postgres/look-up';

/** A look-up of lengths; none is found of what begins with `no`. */
function lengths() {
  const asked: string[][] = [];
  const lookUp = createLookUp(async (keys) => {
    asked.push([...keys]);
    return new Map(keys.filter((key) => !key.startsWith('no')).map((key) => [key, key.length]));
  });
  return { asked, lookUp };
}

describe('a look-up', () => {
  it('asks once for what is wanted at the same moment, and gives each its own', async () => {
    const { asked, lookUp } = lengths();
    expect(await Promise.all(['a', 'nothing', 'abc', 'a'].map(lookUp))).toEqual([1, undefined, 3, 1]);
    expect(asked).toEqual([['a', 'nothing', 'abc', 'a']]);
  });

  it('asks again for what is wanted later, as it may have changed', async () => {
    const { asked, lookUp } = lengths();
    await lookUp('a');
    await lookUp('a');
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('asks for what is wanted while it is asking', async () => {
    const { asked, lookUp } = lengths();
    const first = lookUp('a');
    while (asked.length === 0) await new Promise(setImmediate);
    await Promise.all([first, lookUp('a')]);
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('asks for very many in parts', async () => {
    const { asked, lookUp } = lengths();
    const keys = Array.from({ length: 120 }, (_, n) => `k${n}`);
    await Promise.all(keys.map(lookUp));
    expect(asked.map((part) => part.length)).toEqual([50, 50, 20]);
    expect(asked.flat()).toEqual(keys);
  });

  it('tells all who took part of a failure, and goes on', async () => {
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
