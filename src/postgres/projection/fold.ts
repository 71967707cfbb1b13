import type { RecordedDecision } from '../../domain/handle';
import { lineIdOf } from '../../domain/lines';
import type { Cart } from '../../domain/state';
import { chainDecisions, type SaltedUser } from '../log/hash-chain';
import { hex, toCommandRows, toEventRows } from '../log/rows';
import { foldEvents } from '../read-model/line-periods';
import { toCartRow, toItemRow, toLinePeriodRow } from '../read-model/rows';

/** The rows that new decisions of one cart write, change or delete. */
export type ProjectedRows = ReturnType<typeof foldDecisions>;

/** Where new decisions are added. */
export interface FoldPoint extends SaltedUser {
  readonly cart: Cart;
  /** The hash of the cart's last decision. */
  readonly headHash: Buffer;
}

/** Folds new decisions onto their cart, and returns the rows of the log and of the read model. */
export function foldDecisions(point: FoldPoint, decisions: readonly RecordedDecision[]) {
  const { userId, cart: before, headHash } = point;
  const events = decisions.flatMap((decision) => decision.events);
  const links = chainDecisions(headHash, point, decisions);
  const { after, ended, begun } = foldEvents(before, events);
  const remaining = new Set(after.items.map(lineIdOf));
  return {
    commands: toCommandRows(userId, decisions, links),
    events: toEventRows(userId, decisions),
    endedPeriods: ended.map(({ lineId, at }) => ({
      user_id: userId,
      product_id: lineId,
      version: at.version,
      at: at.occurredAt,
    })),
    begunPeriods: begun.map((period) => toLinePeriodRow(userId, period)),
    removedItems: before.items
      .map(lineIdOf)
      .filter((lineId) => !remaining.has(lineId))
      .map((lineId) => ({ user_id: userId, product_id: lineId })),
    changedItems: after.items.filter((item) => !before.items.includes(item)).map((item) => toItemRow(userId, item)),
    carts: [toCartRow(userId, after, decisions.at(-1)!.sequence, hex(links.at(-1)!.hash))],
  };
}
