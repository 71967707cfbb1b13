import { setImmediate as turn } from 'node:timers/promises';
import { forEachAtOnce } from '../../src/temporal/histories/each';

async function* numbers(count: number) {
  for (let n = 1; n <= count; n += 1) {
    await turn();
    yield n;
  }
}

describe('forEachAtOnce', () => {
  it('runs the given number of tasks at the same time, and never more', async () => {
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

  it('fails with the error of the first task that failed, also while it waits for the next item', async () => {
    const started: number[] = [];
    const failing = forEachAtOnce(numbers(20), 3, async (n) => {
      started.push(n);
      if (n >= 4) throw new Error(`task ${n}`);
    });
    await expect(failing).rejects.toThrow('task 4');
    expect(started.length).toBeLessThan(8);
  });

  it('has finished every task that it started before it fails', async () => {
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
