import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityInterceptorsFactory, CustomSlotSupplier, WorkflowSlotInfo } from '@temporalio/worker';
import { createReplayLimit, type ReplayLimit } from './replay-limit';
import type { TaskPace } from './task-pace';

/** Marks a cart as in use when this worker runs one of its activities. */
export const markCartsInUse =
  (pace: TaskPace): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      execute(input, next) {
        pace.markInUse(info.workflowExecution!.workflowId);
        return next(input);
      },
    },
  });

/** What belongs to one slot. */
interface Permit {
  readonly isSticky: boolean;
  usedAt?: number;
}

/**
 * Slots for workflow tasks. A worker polls for a task when it has a slot, so the slots set the pace at which it takes
 * tasks of carts in its cache. Tasks of other carts do not wait for the pace: no earlier commands of these carts could
 * share them. They wait for one another, where replaying histories takes long.
 * @param slots how many tasks may run at the same time.
 * @param replays limits those of carts that are not in the cache.
 */
export function createPacedSlots(
  slots: number,
  pace: TaskPace,
  replays: ReplayLimit = createReplayLimit(slots),
): CustomSlotSupplier<WorkflowSlotInfo> {
  const released = new EventEmitter().setMaxListeners(0);
  const used = { all: 0, byReplays: 0 };
  const isFree = (isSticky: boolean) => used.all < slots && (isSticky || used.byReplays < replays.atOnce());
  const take = (isSticky: boolean): Permit => {
    used.all += 1;
    if (!isSticky) used.byReplays += 1;
    return { isSticky };
  };
  return {
    type: 'custom',
    async reserveSlot({ isSticky }, signal) {
      try {
        const waitMs = isSticky ? pace.scheduleTask() : 0;
        if (waitMs > 0) await delay(waitMs, undefined, { signal });
        while (!isFree(isSticky)) await once(released, 'slot', { signal });
      } catch (error) {
        // The SDK expects the reason of its own signal, and logs every other error as a failure.
        signal.throwIfAborted();
        throw error;
      }
      return take(isSticky);
    },
    tryReserveSlot({ isSticky }) {
      return isFree(isSticky) ? take(isSticky) : null;
    },
    markSlotUsed({ permit }) {
      (permit as Permit).usedAt = performance.now();
    },
    releaseSlot({ permit }) {
      const { isSticky, usedAt } = permit as Permit;
      used.all -= 1;
      if (!isSticky) {
        used.byReplays -= 1;
        if (usedAt !== undefined) replays.learn(performance.now() - usedAt);
      }
      released.emit('slot');
    },
  };
}
