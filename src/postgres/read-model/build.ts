import { emptyCart } from '../../domain/state';
import type { StoredLog } from '../log/read-logs';
import { hex } from '../log/rows';
import { foldEvents } from './line-periods';
import { toCartRow, toItemRow, toLinePeriodRow } from './rows';
import type { readModelTables } from './tables';

/** The rows of one cart's read model, by table. */
export type ReadModel = Readonly<Record<(typeof readModelTables)[number], readonly object[]>>;

const noHash = Buffer.alloc(32);

/** Builds the read model of one cart from its log. */
export function buildReadModel({ userId, commands, events }: StoredLog): ReadModel {
  const { after, begun } = foldEvents(
    emptyCart,
    events.map(({ event }) => event),
  );
  const headHash = hex(commands.at(-1)?.hash ?? noHash);
  return {
    carts: [toCartRow(userId, after, commands.at(-1)?.sequence ?? 0, headHash)],
    cart_items: after.items.map((item) => toItemRow(userId, item)),
    cart_item_history: begun.map((period) => toLinePeriodRow(userId, period)),
  };
}
