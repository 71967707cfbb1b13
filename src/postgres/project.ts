import type { Knex } from 'knex';
import { evolve } from '../domain/evolve';
import type { RecordedDecision } from '../domain/handle';
import type { Cart } from '../domain/state';
import { type CartItemRow, type CartRow, toItem } from './cart-rows';
import { assertSame, ForkError } from './fork';
import { type ProjectedBatch, writeBatches } from './write-batches';

/** Decisions between those in Postgres and those to be projected are missing from Postgres. */
export class GapError extends Error {
  override readonly name = 'GapError';

  /** @param after the last decision Postgres has before the gap. */
  constructor(
    message: string,
    readonly after: number,
  ) {
    super(message);
  }
}

/** Decisions of one cart, consecutive and in order. */
export interface Batch {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/** How many of a batch's decisions were new, or why none of them could be written. */
export type BatchOutcome = { readonly added: number } | { readonly error: ForkError | GapError };

/**
 * Writes batches of different carts into the log's copy and the read model, and tells who waits for them. Decisions already
 * there are skipped, so that a repeated, late or parallel call changes nothing. Call it in a transaction: it locks the carts.
 * @returns each batch's outcome, in order: ForkError where Postgres holds something else at the same place, GapError where
 * decisions before these are missing. Nothing is written of such a batch.
 */
export async function projectBatches(trx: Knex.Transaction, batches: readonly Batch[]): Promise<BatchOutcome[]> {
  const userIds = batches.map((batch) => batch.userId).sort();
  const rows = await lockCarts(trx, userIds);
  const lines = await readLines(trx, userIds);
  const projected: ProjectedBatch[] = [];
  const outcomes: BatchOutcome[] = [];
  for (const { userId, decisions } of batches) {
    const row = rows.get(userId)!;
    const known = decisions.filter((decision) => decision.sequence <= row.sequence);
    const fresh = decisions.slice(known.length);
    try {
      await assertSame(trx, userId, known);
      assertContinues(row, fresh);
      if (fresh.length > 0) projected.push(foldBatch(row, lines.get(userId) ?? [], fresh));
      outcomes.push({ added: fresh.length });
    } catch (error) {
      if (!(error instanceof ForkError || error instanceof GapError)) throw error;
      outcomes.push({ error });
    }
  }
  if (projected.length > 0) await writeBatches(trx, projected);
  return outcomes;
}

/** As `projectBatches`, for one cart. @returns how many decisions were new. @throws ForkError or GapError. */
export async function project(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<number> {
  const [outcome] = await projectBatches(trx, [{ userId, decisions }]);
  if ('error' in outcome!) throw outcome.error;
  return outcome!.added;
}

/** Locks the carts in the order of their users' ids, in which all transactions do, making those that are not there yet. */
async function lockCarts(trx: Knex.Transaction, userIds: readonly string[]): Promise<Map<string, CartRow>> {
  const rows = new Map<string, CartRow>();
  const lock = async (ids: readonly string[]) => {
    const locked = await trx
      .raw(
        `select user_id, version, sequence, status, currency, item_count, subtotal, head_hash, updated_at
         from carts where user_id = any(?::text[]) order by user_id for update`,
        [[...ids]],
      )
      .options({ name: 'lock-carts' });
    for (const row of locked.rows) rows.set(row.user_id, row);
  };
  await lock(userIds);
  const missing = userIds.filter((userId) => !rows.has(userId));
  if (missing.length > 0) {
    const sql = 'insert into carts (user_id) select unnest(?::text[]) on conflict do nothing';
    await trx.raw(sql, [missing]).options({ name: 'make-carts' });
    await lock(missing);
  }
  return rows;
}

/** The carts' lines. A statement after the one that locks, so that it sees what the locks were waited for. */
async function readLines(trx: Knex.Transaction, userIds: readonly string[]): Promise<Map<string, CartItemRow[]>> {
  const { rows } = await trx
    .raw(
      `select user_id, product_id, name, quantity, unit_price, added_at, added_version
       from cart_items where user_id = any(?::text[]) order by user_id, added_version`,
      [[...userIds]],
    )
    .options({ name: 'lines-of-carts' });
  const lines = new Map<string, CartItemRow[]>();
  for (const row of rows as CartItemRow[]) {
    const own = lines.get(row.user_id);
    if (own) own.push(row);
    else lines.set(row.user_id, [row]);
  }
  return lines;
}

function foldBatch(
  row: CartRow,
  lines: readonly CartItemRow[],
  decisions: readonly RecordedDecision[],
): ProjectedBatch {
  const before: Cart = {
    version: row.version,
    currency: row.currency,
    items: lines.map(toItem),
    updatedAt: row.updated_at?.toISOString() ?? null,
  };
  const after = decisions.flatMap((decision) => decision.events).reduce(evolve, before);
  return { userId: row.user_id, headHash: row.head_hash, decisions, before, after };
}

function assertContinues(row: CartRow, fresh: readonly RecordedDecision[]): void {
  const firstVersion = fresh.flatMap((decision) => decision.events).at(0)?.version;
  const gap = fresh.find(({ sequence }, index) => sequence !== row.sequence + 1 + index);
  if (gap !== undefined) {
    throw new GapError(
      `Postgres has ${row.sequence} decisions of cart ${row.user_id}; decision ${gap.sequence} cannot follow. ` +
        'Postgres has lost some, as after restoring an older backup.',
      row.sequence,
    );
  }
  if (firstVersion !== undefined && firstVersion !== row.version + 1) {
    throw new ForkError(
      `Postgres has cart ${row.user_id} at version ${row.version} after ${row.sequence} decisions; the workflow goes on ` +
        `with version ${firstVersion}.`,
    );
  }
}
