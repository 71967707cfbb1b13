import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityInterceptorsFactory, CustomSlotSupplier, WorkflowSlotInfo } from '@temporalio/worker';
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

/**
 * Slots for workflow tasks. A worker polls for a task when it has a slot, so the slots set the pace at which it takes
 * tasks of carts in its cache. Tasks of other carts do not wait: no earlier commands of these carts could share them.
 * @param slots how many tasks may run at the same time.
 */
export function createPacedSlots(slots: number, pace: TaskPace): CustomSlotSupplier<WorkflowSlotInfo> {
  const released = new EventEmitter().setMaxListeners(0);
  let used = 0;
  return {
    type: 'custom',
    async reserveSlot({ isSticky }, signal) {
      try {
        const waitMs = isSticky ? pace.scheduleTask() : 0;
        if (waitMs > 0) await delay(waitMs, undefined, { signal });
        while (used >= slots) await once(released, 'slot', { signal });
      } catch (error) {
        // The SDK expects the reason of its own signal, and logs every other error as a failure.
        signal.throwIfAborted();
        throw error;
      }
      used += 1;
      return {};
    },
    tryReserveSlot() {
      if (used >= slots) return null;
      used += 1;
      return {};
    },
    markSlotUsed() {},
    releaseSlot() {
      used -= 1;
      released.emit('slot');
    },
  };
}
