import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CustomSlotSupplier, WorkflowSlotInfo } from '@temporalio/worker';
import type { TaskPace } from './task-pace';

/**
 * Slots for workflow tasks, as many at once as told. A worker polls for a task when it has a slot, so that a task of a cart it
 * has in its cache is taken at the given pace; those of other carts, which have nobody to share with, are taken at once.
 */
export function createPacedSlots(slots: number, pace: TaskPace): CustomSlotSupplier<WorkflowSlotInfo> {
  const released = new EventEmitter().setMaxListeners(0);
  let used = 0;
  return {
    type: 'custom',
    async reserveSlot({ isSticky }, signal) {
      const wait = isSticky ? pace.next() : 0;
      if (wait > 0) await delay(wait, undefined, { signal });
      while (used >= slots) await once(released, 'slot', { signal });
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
