import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityInterceptorsFactory, CustomSlotSupplier, WorkflowSlotInfo } from '@temporalio/worker';
import type { TaskPace } from './task-pace';

/** Tells the pace which carts are in use: those for which activities are run. */
export const noteCartsInUse =
  (pace: TaskPace): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      execute(input, next) {
        pace.see(info.workflowExecution!.workflowId);
        return next(input);
      },
    },
  });

/**
 * Slots for workflow tasks, as many at once as told. A worker polls for a task when it has a slot, so that tasks of carts it
 * has in its cache are asked for at the given pace; those of other carts, which have nobody to share with, are not held back.
 */
export function createPacedSlots(slots: number, pace: TaskPace): CustomSlotSupplier<WorkflowSlotInfo> {
  const released = new EventEmitter().setMaxListeners(0);
  let used = 0;
  return {
    type: 'custom',
    async reserveSlot({ isSticky }, signal) {
      try {
        const wait = isSticky ? pace.next() : 0;
        if (wait > 0) await delay(wait, undefined, { signal });
        while (used >= slots) await once(released, 'slot', { signal });
      } catch (error) {
        // What the SDK knows it has aborted by; it would log any other error as a fault.
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
