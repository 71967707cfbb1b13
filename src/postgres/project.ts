import type { Knex } from 'knex';
import { evolve } from '../domain/evolve';
import type { RecordedDecision } from '../domain/handle';
import type { Cart } from '../domain/state';
import { type CartRow, readCart, toCartColumns, toItemRow } from './cart-rows';
import { assertSame, ForkError, repeatedId } from './fork';
import { type ChainedEvent, chain } from './hash-chain';
import { writeItemHistory } from './item-history';

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

/**
 * Writes decisions of one cart, consecutive and in order, into the log's copy and the read model. Those already there are
 * skipped, so that a repeated, late or parallel call changes nothing. Call it in a transaction: it locks the cart.
 * @returns how many were new.
 * @throws ForkError where Postgres holds something else at the same place; GapError where decisions before these are missing.
 */
export async function project(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<number> {
  const row = await lockCart(trx, userId);
  const known = decisions.filter((decision) => decision.sequence <= row.sequence);
  const fresh = decisions.slice(known.length);
  await assertSame(trx, userId, known);
  if (fresh.length === 0) return 0;
  assertContinues(row, fresh);
  const cart = await readCart(trx, row);
  const events = fresh.flatMap((decision) => decision.events);
  const chained = chain(row.head_hash, userId, events);
  await insertCommands(trx, userId, fresh);
  await insertEvents(trx, userId, fresh, chained);
  await writeItemHistory(trx, userId, cart, events);
  const after = events.reduce(evolve, cart);
  await writeItems(trx, userId, cart, after);
  await writeCart(trx, userId, after, row.sequence + fresh.length, chained.at(-1)?.hash ?? row.head_hash);
  return fresh.length;
}

async function lockCart(trx: Knex.Transaction, userId: string): Promise<CartRow> {
  const lock = () => trx<CartRow>('carts').where({ user_id: userId }).forUpdate().first();
  const row = await lock();
  if (row !== undefined) return row;
  await trx('carts').insert({ user_id: userId }).onConflict().ignore();
  return (await lock())!;
}

function assertContinues(row: CartRow, fresh: readonly RecordedDecision[]): void {
  const [first] = fresh;
  const firstVersion = fresh.flatMap((decision) => decision.events).at(0)?.version;
  if (first!.sequence !== row.sequence + 1) {
    throw new GapError(
      `Postgres has ${row.sequence} decisions of cart ${row.user_id}; decision ${first!.sequence} cannot follow. ` +
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

async function insertCommands(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<void> {
  const rows = decisions.map((decision) => ({
    sequence: decision.sequence,
    command_id: decision.command.commandId,
    repeated_id: repeatedId(decision.command.commandId, decision.sequence),
    type: decision.command.type,
    actor: decision.command.actor,
    issued_at: decision.command.issuedAt,
    decided_at: decision.decidedAt,
    run_id: decision.runId,
    expected_version: decision.command.expectedVersion ?? null,
    data: decision.command.data,
    outcome: decision.outcome,
    code: decision.code ?? null,
    reason: decision.reason ?? null,
  }));
  await trx.raw(
    `insert into cart_commands (user_id, sequence, command_id, type, actor, issued_at, decided_at, run_id,
                                expected_version, data, outcome, code, reason)
     select :userId, sequence,
            case when exists (select from cart_commands old where old.user_id = :userId and old.command_id = new.command_id)
                 then repeated_id else command_id end,
            type, actor, issued_at, decided_at, run_id, expected_version, data, outcome, code, reason
     from jsonb_to_recordset(:rows) as new (sequence integer, command_id text, repeated_id text, type text, actor text,
            issued_at timestamptz, decided_at timestamptz, run_id text, expected_version bigint, data jsonb, outcome text,
            code text, reason text)`,
    { userId, rows: JSON.stringify(rows) },
  );
}

async function insertEvents(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
  chained: readonly ChainedEvent[],
): Promise<void> {
  if (chained.length === 0) return;
  const sequences = decisions.flatMap(({ sequence, events }) => events.map(() => sequence));
  const rows = chained.map(({ event, previousHash, hash }, index) => ({
    version: event.version,
    sequence: sequences[index],
    type: event.type,
    data: event.data,
    command_id: event.commandId,
    actor: event.actor,
    occurred_at: event.occurredAt,
    previous_hash: `\\x${previousHash.toString('hex')}`,
    hash: `\\x${hash.toString('hex')}`,
  }));
  await trx.raw(
    `insert into cart_events (user_id, version, sequence, type, data, command_id, actor, occurred_at, previous_hash, hash)
     select :userId, * from jsonb_to_recordset(:rows) as new (version integer, sequence integer, type text, data jsonb,
            command_id text, actor text, occurred_at timestamptz, previous_hash bytea, hash bytea)`,
    { userId, rows: JSON.stringify(rows) },
  );
}

/** Writes the difference between two states of a cart, so that a batch costs the same however often it touched a line. */
async function writeItems(trx: Knex.Transaction, userId: string, before: Cart, after: Cart): Promise<void> {
  const removed = before.items.filter((item) => !after.items.some(({ productId }) => productId === item.productId));
  if (removed.length > 0) {
    const productIds = removed.map((item) => item.productId);
    await trx('cart_items').where({ user_id: userId }).whereIn('product_id', productIds).delete();
  }
  const changed = after.items.filter((item) => !before.items.includes(item));
  if (changed.length === 0) return;
  const rows = changed.map((item) => toItemRow(userId, item));
  await trx('cart_items').insert(rows).onConflict(['user_id', 'product_id']).merge();
}

async function writeCart(
  trx: Knex.Transaction,
  userId: string,
  cart: Cart,
  sequence: number,
  headHash: Buffer,
): Promise<void> {
  await trx('carts')
    .where({ user_id: userId })
    .update({ ...toCartColumns(cart), sequence, head_hash: headHash });
}
