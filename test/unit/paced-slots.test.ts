import type { Context } from '@temporalio/activity';
import { createPacedSlots, markCartsInUse } from '../../src/worker/paced-slots';

const context = {
  slotType: 'workflow',
  taskQueue: 'carts',
  workerIdentity: 'worker',
  workerBuildId: '',
  isSticky: true,
} as const;
const release = { permit: {} };
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
