import { createLostTaskCheck } from '../../src/worker/lost-tasks';

/** A check whose clock is ahead of Temporal's; `at` is the time by Temporal's clock. */
function check(aheadMs: number) {
  let at = 1_000_000;
  const isLost = createLostTaskCheck(() => at + aheadMs);
  return (taskAt: number, tookMs: number) => {
    at = taskAt + tookMs;
    return isLost(taskAt);
  };
}

describe.each([
  ['equal clocks', 0],
  ['a clock an hour ahead', 3_600_000],
  ['a clock an hour behind', -3_600_000],
  ['a clock two seconds ahead', 2_000],
  ['a clock ten seconds behind', -10_000],
])('with %s, a task', (_what, ahead) => {
  it('is lost after four seconds, and not before', () => {
    const isLost = check(ahead);
    expect(isLost(0, 5)).toBe(false);
    expect(isLost(1_000, 3_800)).toBe(false);
    expect(isLost(10_000, 4_000)).toBe(true);
    expect(isLost(20_000, 5)).toBe(false);
    expect(isLost(30_000, 300_000)).toBe(true);
  });

  it('is lost also where the worker stood still for long, and its clocks drift apart meanwhile', () => {
    const isLost = check(ahead);
    for (let minute = 0; minute < 60; minute += 1) isLost(minute * 60_000, 5);
    const hours = 3 * 3_600_000;
    expect(isLost(hours, hours)).toBe(true);
    expect(isLost(3 * hours, 10)).toBe(false);
  });
});

it('a first task is lost where it is older than four seconds', () => {
  expect(check(0)(0, 4_100)).toBe(true);
});

it('a clock ten seconds ahead costs one task', () => {
  const isLost = check(10_000);
  expect([isLost(0, 5), isLost(10, 5), isLost(20, 5)]).toEqual([true, false, false]);
});

it('a clock of Temporal that is set back costs ten tasks', () => {
  const isLost = check(0);
  isLost(100_000, 5);
  const lost = Array.from({ length: 20 }, (_, index) => isLost(index * 10, 100_000));
  expect(lost.filter(Boolean)).toHaveLength(10);
});
