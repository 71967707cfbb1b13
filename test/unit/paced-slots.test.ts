import type { Context } from '@temporalio/activity';
import { createPacedSlots, markCartsInUse } from '../../src/worker/paced-slots';
import { createReplayLimit } from '../../src/worker/replay-limit';

const context = {
  slotType: 'workflow',
  taskQueue: 'carts',
  workerIdentity: 'worker',
  workerBuildId: '',
  isSticky: true,
} as const;
const release = { permit: { isSticky: true } };
const neverAborted = new AbortController().signal;

/** Slots with a pace that delays every task of a cached cart by `wait`. */
function slotsOf(count: number, wait = 0) {
  const asked: number[] = [];
  const scheduleTask = () => {
    asked.push(wait);
    return wait;
  };
  return { slots: createPacedSlots(count, { markInUse() {}, scheduleTask }), asked };
}

describe('paced slots', () => {
  it('gives all slots, and the next one when a slot is released', async () => {
    const { slots } = slotsOf(2);
    await slots.reserveSlot(context, neverAborted);
    await slots.reserveSlot(context, neverAborted);
    let isGiven = false;
    const third = slots.reserveSlot(context, neverAborted).then(() => {
      isGiven = true;
    });
    await new Promise(setImmediate);
    expect(isGiven).toBe(false);
    slots.releaseSlot(release);
    await third;
    expect(isGiven).toBe(true);
  });

  it('gives a released slot to one waiting task only', async () => {
    const { slots } = slotsOf(1);
    await slots.reserveSlot(context, neverAborted);
    let given = 0;
    const stop = new AbortController();
    const others = [1, 2, 3].map(() =>
      slots.reserveSlot(context, stop.signal).then(
        () => {
          given += 1;
        },
        () => {},
      ),
    );
    expect(slots.tryReserveSlot(context)).toBeNull();
    slots.releaseSlot(release);
    await new Promise(setImmediate);
    expect(given).toBe(1);
    expect(slots.tryReserveSlot(context)).toBeNull();
    stop.abort();
    await Promise.all(others);
    expect(given).toBe(1);
  });

  it('delays only the tasks of cached carts', async () => {
    const { slots, asked } = slotsOf(5);
    await slots.reserveSlot({ ...context, isSticky: false }, neverAborted);
    expect(asked).toEqual([]);
    await slots.reserveSlot(context, neverAborted);
    expect(asked).toEqual([0]);
  });

  it('takes a cart that is not in the cache only when fewer than allowed are being loaded', async () => {
    const learned: number[] = [];
    const replays = { atOnce: () => 1, learn: (tookMs: number) => void learned.push(tookMs) };
    const slots = createPacedSlots(5, { markInUse() {}, scheduleTask: () => 0 }, replays);
    const uncached = { ...context, isSticky: false };
    const permit = await slots.reserveSlot(uncached, neverAborted);
    expect(slots.tryReserveSlot(uncached)).toBeNull();
    expect(slots.tryReserveSlot(context)).not.toBeNull();
    const next = slots.reserveSlot(uncached, neverAborted);
    slots.markSlotUsed({ slotInfo: { type: 'workflow', workflowType: 'cartWorkflow', isSticky: false }, permit });
    slots.releaseSlot({ permit });
    await next;
    expect(learned).toHaveLength(1);
  });

  it('learns nothing from a poll that brought no task', async () => {
    const learned: number[] = [];
    const replays = { atOnce: () => 1, learn: (tookMs: number) => void learned.push(tookMs) };
    const slots = createPacedSlots(5, { markInUse() {}, scheduleTask: () => 0 }, replays);
    const uncached = { ...context, isSticky: false };
    slots.releaseSlot({ permit: await slots.reserveSlot(uncached, neverAborted) });
    expect(slots.tryReserveSlot(uncached)).not.toBeNull();
    expect(learned).toEqual([]);
  });

  it.each([
    ['its turn', 1, 60_000],
    ['a slot', 0, 0],
  ])('stops waiting for %s when the worker stops', async (_what, count, wait) => {
    const { slots } = slotsOf(count, wait);
    const stop = new AbortController();
    const reserved = slots.reserveSlot(context, stop.signal);
    stop.abort();
    await expect(reserved).rejects.toBe(stop.signal.reason);
    slots.releaseSlot(release);
  });
});

describe('the limit of replays', () => {
  const limitAfter = (...tookMs: number[]) => {
    const limit = createReplayLimit(40);
    for (const each of tookMs) limit.learn(each);
    return limit.atOnce();
  };

  it('begins with few, and rises to all slots while replays are short', () => {
    expect(limitAfter()).toBe(4);
    expect(limitAfter(20)).toBe(5);
    expect(limitAfter(...Array(100).fill(20))).toBe(40);
  });

  it('falls to one while replays take long, and rises again', () => {
    expect(limitAfter(3_000)).toBe(2);
    expect(limitAfter(...Array(10).fill(3_000))).toBe(1);
    expect(limitAfter(...Array(10).fill(3_000), 500)).toBe(2);
  });
});

describe('an activity', () => {
  it('marks its cart as in use, and runs', async () => {
    const seen: string[] = [];
    const mark = markCartsInUse({ markInUse: (workflowId) => void seen.push(workflowId), scheduleTask: () => 0 });
    const { inbound } = mark({ info: { workflowExecution: { workflowId: 'cart:alice' } } } as Context);
    const run = inbound!.execute!({ args: ['batch'], headers: {} }, async ({ args }) => args);
    expect(await run).toEqual(['batch']);
    expect(seen).toEqual(['cart:alice']);
  });
});
