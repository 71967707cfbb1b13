import type { RecordedDecision } from '../../domain/handle';
import { chain } from '../log/hash-chain';
import { hex, toCommandRows, toEventRows } from '../log/rows';
import { foldEvents } from '../read-model/line-periods';
import { toCartRow, toItemRow, toLinePeriodRow } from '../read-model/rows';
import type { LockedCart } from './lock-carts';

/** The rows that new decisions of one cart write, change or delete. */
export type ProjectedRows = ReturnType<typeof foldDecisions>;

/** Folds new decisions onto their cart, and returns the rows of the log and of the read model. */
export function foldDecisions(locked: LockedCart, decisions: readonly RecordedDecision[]) {
  const { userId, cart: before, headHash } = locked;
  const events = decisions.flatMap((decision) => decision.events);
  const chained = chain(headHash, userId, events);
  const { after, ended, begun } = foldEvents(before, events);
  const remaining = new Set(after.items.map((item) => item.productId));
  const head = chained.at(-1)?.hash ?? headHash;
  return {
    commands: toCommandRows(userId, decisions),
    events: toEventRows(userId, decisions, chained),
    endedPeriods: ended.map(({ productId, at }) => ({
      user_id: userId,
      product_id: productId,
      version: at.version,
      at: at.occurredAt,
    })),
    begunPeriods: begun.map((period) => toLinePeriodRow(userId, period)),
    removedItems: before.items
      .filter(({ productId }) => !remaining.has(productId))
      .map(({ productId }) => ({ user_id: userId, product_id: productId })),
    changedItems: after.items.filter((item) => !before.items.includes(item)).map((item) => toItemRow(userId, item)),
    carts: [toCartRow(userId, after, decisions.at(-1)!.sequence, hex(head))],
  };
}
