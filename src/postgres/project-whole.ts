import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { chain, genesisHash } from './hash-chain';
import { toCommandRows, toEventRows } from './log-rows';
import { readModelOf } from './read-model';

/** What the histories tell of a cart: its decisions, in order. */
export interface CartLog {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Writes carts of which Postgres has nothing, from their first decision on: logs and read model in one statement. A cart
 * that somebody else writes at the same moment is left to them.
 * @returns the users whose carts it wrote.
 */
export async function projectWhole(db: Knex, logs: readonly CartLog[]): Promise<Set<string>> {
  const whole = logs.map(({ userId, decisions }) => ({
    userId,
    decisions,
    chained: chain(
      genesisHash,
      userId,
      decisions.flatMap((decision) => decision.events),
    ),
  }));
  const models = whole.map(({ userId, decisions, chained }) =>
    readModelOf(
      userId,
      decisions.length,
      chained.map(({ event }) => event),
      (chained.at(-1)?.hash ?? genesisHash).toString('hex'),
    ),
  );
  const { rows } = await db.raw(insertSql, {
    cartsJson: JSON.stringify(models.flatMap((model) => model.carts)),
    itemsJson: JSON.stringify(models.flatMap((model) => model.cart_items)),
    historyJson: JSON.stringify(models.flatMap((model) => model.cart_item_history)),
    commandsJson: JSON.stringify(whole.flatMap(({ userId, decisions }) => toCommandRows(userId, decisions))),
    eventsJson: JSON.stringify(
      whole.flatMap(({ userId, decisions, chained }) => toEventRows(userId, decisions, chained)),
    ),
  });
  return new Set(rows.map((row: { user_id: string }) => row.user_id));
}

/** Whoever inserts a cart's row first holds it until the end of the transaction, as a projection would by its lock. */
const insertSql = `
  with mine as (
    insert into carts select * from json_populate_recordset(null::carts, :cartsJson) on conflict do nothing returning user_id
  ), commands as (
    insert into cart_commands select * from json_populate_recordset(null::cart_commands, :commandsJson)
    where user_id in (table mine)
  ), events as (
    insert into cart_events select * from json_populate_recordset(null::cart_events, :eventsJson)
    where user_id in (table mine)
  ), items as (
    insert into cart_items select * from json_populate_recordset(null::cart_items, :itemsJson)
    where user_id in (table mine)
  ), history as (
    insert into cart_item_history select * from json_populate_recordset(null::cart_item_history, :historyJson)
    where user_id in (table mine)
  )
  table mine`;
