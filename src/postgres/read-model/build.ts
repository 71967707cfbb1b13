import { emptyCart } from '../../domain/state';
import type { StoredLog } from '../log/read-logs';
import { hex } from '../log/rows';
import { foldEvents } from './line-periods';
import { toCartRow, toItemRow, toLinePeriodRow } from './rows';
import type { readModelTables } from './tables';

/** The rows of one cart's read model, by table. */
export type ReadModel = Readonly<Record<(typeof readModelTables)[number], readonly object[]>>;

const noHash = Buffer.alloc(32);

/**
 * The hash of the last decision. Where that has none yet, what a worker of an older version takes for the head: the
 * hash of the last event since the last decision with a hash.
 */
function headOf(commands: StoredLog['commands'], events: StoredLog['events']): Buffer {
  const lastHashed = commands.findLast(({ hash }) => hash !== null);
  const since = events.findLast(({ hash, sequence }) => hash !== null && sequence > (lastHashed?.sequence ?? 0));
  return since?.hash ?? lastHashed?.hash ?? noHash;
}

/** Builds the read model of one cart from its log. */
export function buildReadModel({ userId, commands, events }: StoredLog): ReadModel {
  const { after, begun } = foldEvents(
    emptyCart,
    events.map(({ event }) => event),
  );
  const headHash = hex(headOf(commands, events));
  return {
    carts: [toCartRow(userId, after, commands.at(-1)?.sequence ?? 0, headHash)],
    cart_items: after.items.map((item) => toItemRow(userId, item)),
    cart_item_history: begun.map((period) => toLinePeriodRow(userId, period)),
  };
}
