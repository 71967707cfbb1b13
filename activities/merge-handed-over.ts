import { Context } from '@temporalio/activity';
import { mergeHandedOver } from '../src/delivery/merge';
import type { HistorySource } from '../src/temporal/histories/histories';

/** Sends to a user's cart what the guest whose cart this is has handed over, as it is on record. */
export const createMergeHandedOver =
  (source: HistorySource) =>
  (guestId: string): Promise<void> =>
    mergeHandedOver(source, Context.current().info.taskQueue, guestId);
