import { createTaskPace } from '../../src/worker/task-pace';

/** A pace with a clock and a load that the test sets. */
function paceAt() {
  let now = 0;
  let share = 0;
  const pace = createTaskPace(
    () => now,
    () => share,
  );
  const pass = (ms: number) => (now += ms);
  /** Takes tasks at the pace for `ms` under this load. @returns how many it took. */
  const run = (ms: number, used: number, carts = 100) => {
    share = used;
    let taken = 0;
    for (const end = now + ms; now < end; taken += 1) {
      pace.markInUse(`cart-${taken % carts}`);
      pass(Math.max(1, pace.scheduleTask()));
    }
    return taken;
  };
  return { pace, pass, run };
}

describe('the pace of tasks', () => {
  it('delays no task while processor time is left', () => {
    const { pace, pass, run } = paceAt();
    expect(run(10_000, 0.8)).toBe(10_000);
    pass(1);
    expect(pace.scheduleTask()).toBe(0);
  });

  it('takes each cart about once in two seconds when no processor time is left', () => {
    const { run } = paceAt();
    run(5_000, 1);
    const taken = run(10_000, 1);
    expect(taken).toBeGreaterThan(450);
    expect(taken).toBeLessThan(550);
  });

  it('delays the tasks of many carts with few commands by 200 ms at most', () => {
    const { pace, pass, run } = paceAt();
    run(5_000, 1, 5_000);
    // 400 carts per second, each a different one, with two tasks each.
    let longest = 0;
    for (let cart = 0; cart < 8_000; cart += 1) {
      pass(2.5);
      pace.markInUse(`seldom-${cart}`);
      longest = Math.max(longest, pace.scheduleTask(), pace.scheduleTask());
    }
    expect(longest).toBeLessThanOrEqual(200);
  });

  it('releases several tasks at the same instant, so that they can share a transaction', () => {
    const { pace, run } = paceAt();
    run(5_000, 1);
    const waits = Array.from({ length: 20 }, () => pace.scheduleTask());
    expect(new Set(waits).size).toBeLessThan(5);
  });

  it.each([1, 20])('takes the tasks of %i busy carts at least fifty times a second', (carts) => {
    const { run } = paceAt();
    run(5_000, 1, carts);
    expect(run(10_000, 1, carts)).toBeGreaterThanOrEqual(490);
  });

  it('adapts within seconds to many more carts', () => {
    const { run } = paceAt();
    run(10_000, 1, 20);
    run(5_000, 1, 1_000);
    expect(run(5_000, 1, 1_000)).toBeGreaterThan(1_500);
  });

  it('delays no task 1.5 s after the load has fallen', () => {
    const { pace, pass, run } = paceAt();
    run(5_000, 1);
    run(1_500, 0.5);
    pass(200);
    expect(pace.scheduleTask()).toBe(0);
  });

  it('keeps its delay under a load between the two limits', () => {
    const { run } = paceAt();
    run(5_000, 1);
    const taken = run(2_000, 0.92);
    expect(taken).toBeLessThan(250);
  });
});

describe('the pace on this machine', () => {
  it('starts without a delay', () => {
    expect(createTaskPace().scheduleTask()).toBe(0);
  });
});
