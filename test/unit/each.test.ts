import { setImmediate as turn } from 'node:timers/promises';
import { forEachAtOnce } from '../../src/recovery/each';

async function* numbers(count: number) {
  for (let n = 1; n <= count; n += 1) {
    await turn();
    yield n;
  }
}

describe('running a task for every item', () => {
  it('runs as many at once as told, and never more', async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await forEachAtOnce(numbers(20), 3, async (n) => {
      running += 1;
      most = Math.max(most, running);
      for (let wait = 0; wait < 5; wait += 1) await turn();
      running -= 1;
      done.push(n);
    });
    expect({ done: done.sort((a, b) => a - b), most }).toEqual({
      done: Array.from({ length: 20 }, (_, n) => n + 1),
      most: 3,
    });
  });

  it('fails as its first failing task does, also where that failed while the next item was waited for', async () => {
    const begun: number[] = [];
    const failing = forEachAtOnce(numbers(20), 3, async (n) => {
      begun.push(n);
      if (n >= 4) throw new Error(`task ${n}`);
    });
    await expect(failing).rejects.toThrow('task 4');
    expect(begun.length).toBeLessThan(8);
  });

  it('has ended every task it began when it fails', async () => {
    let running = 0;
    const failing = forEachAtOnce(numbers(20), 3, async (n) => {
      running += 1;
      for (let wait = 0; wait < n * 5; wait += 1) await turn();
      running -= 1;
      throw new Error(`task ${n}`);
    });
    await expect(failing).rejects.toThrow('task 1');
    expect(running).toBe(0);
  });
});
