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
const still = new AbortController().signal;

/** Slots whose pace has every task of a cached cart wait so long. */
function slotsOf(count: number, wait = 0) {
  const asked: number[] = [];
  const scheduleTask = () => {
    asked.push(wait);
    return wait;
  };
  return { slots: createPacedSlots(count, { markInUse() {}, scheduleTask }), asked };
}

describe('paced slots', () => {
  it('gives as many slots as there are, and the next one when one is released', async () => {
    const { slots } = slotsOf(2);
    await slots.reserveSlot(context, still);
    await slots.reserveSlot(context, still);
    let isGiven = false;
    const third = slots.reserveSlot(context, still).then(() => {
      isGiven = true;
    });
    await new Promise(setImmediate);
    expect(isGiven).toBe(false);
    slots.releaseSlot(release);
    await third;
    expect(isGiven).toBe(true);
  });

  it('gives one released slot to one who waits, and none to those who do not', async () => {
    const { slots } = slotsOf(1);
    await slots.reserveSlot(context, still);
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

  it('has only the tasks of cached carts keep the pace', async () => {
    const { slots, asked } = slotsOf(5);
    await slots.reserveSlot({ ...context, isSticky: false }, still);
    expect(asked).toEqual([]);
    await slots.reserveSlot(context, still);
    expect(asked).toEqual([0]);
  });

  it.each([
    ['its turn', 1, 60_000],
    ['a slot', 0, 0],
  ])('gives up waiting for %s when the worker stops', async (_what, count, wait) => {
    const { slots } = slotsOf(count, wait);
    const stop = new AbortController();
    const reserved = slots.reserveSlot(context, stop.signal);
    stop.abort();
    await expect(reserved).rejects.toBe(stop.signal.reason);
    slots.releaseSlot(release);
  });
});

describe('an activity', () => {
  it('makes its cart one that is in use, and is run', async () => {
    const seen: string[] = [];
    const mark = markCartsInUse({ markInUse: (workflowId) => void seen.push(workflowId), scheduleTask: () => 0 });
    const { inbound } = mark({ info: { workflowExecution: { workflowId: 'cart:alice' } } } as Context);
    const run = inbound!.execute!({ args: ['batch'], headers: {} }, async ({ args }) => args);
    expect(await run).toEqual(['batch']);
    expect(seen).toEqual(['cart:alice']);
  });
});
