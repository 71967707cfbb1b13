import type { Knex } from 'knex';
import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import { groupByUser } from '../group-by-user';
import { type CartEventRow, eventColumns, toDecision, toEvent } from './rows';

/** An event as the copy of the log holds it. */
export interface StoredEvent {
  readonly event: CartEvent;
  readonly sequence: number;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** A command as the copy of the log holds it. */
export interface StoredCommand {
  readonly sequence: number;
  readonly commandId: string;
  readonly outcome: string;
}

/** The copy of one cart's log, whole and in order. */
export interface StoredLog {
  readonly userId: string;
  readonly commands: readonly StoredCommand[];
  readonly events: readonly StoredEvent[];
}

/** The copies of these carts' logs, in the order given. Two statements, however many carts. */
export async function readLogs(db: Knex, userIds: readonly string[]): Promise<StoredLog[]> {
  const commands = await db('cart_commands')
    .select('user_id', 'sequence', 'command_id', 'outcome')
    .whereIn('user_id', userIds)
    .orderBy(['user_id', 'sequence']);
  const events = await db('cart_events')
    .select('user_id', 'sequence', 'previous_hash', 'hash', ...eventColumns)
    .whereIn('user_id', userIds)
    .orderBy(['user_id', 'version']);
  const commandsOf = groupByUser(commands);
  const eventsOf = groupByUser(events);
  return userIds.map((userId) => ({
    userId,
    commands: (commandsOf.get(userId) ?? []).map((row) => ({
      sequence: row.sequence,
      commandId: row.command_id,
      outcome: row.outcome,
    })),
    events: (eventsOf.get(userId) ?? []).map((row) => ({
      event: toEvent(row as CartEventRow),
      sequence: row.sequence,
      previousHash: row.previous_hash,
      hash: row.hash,
    })),
  }));
}

/** The carts that have a log, in order of user id, in pages, each with the number of its decisions. */
export async function* listLoggedCarts(
  db: Knex,
  pageSize: number,
): AsyncGenerator<readonly { readonly userId: string; readonly sequence: number }[]> {
  for (let after = ''; ; ) {
    // Walks the primary key from cart to cart, rather than reading every row of the log.
    const { rows } = await db.raw(
      `with recursive cart as (
         (select user_id, 1 as n from cart_commands where user_id > :after order by user_id limit 1)
         union all
         select (select user_id from cart_commands where user_id > cart.user_id order by user_id limit 1), n + 1
         from cart where cart.user_id is not null and n < :pageSize
       )
       select user_id, (select max(sequence) from cart_commands c where c.user_id = cart.user_id) as sequence
       from cart where user_id is not null order by user_id`,
      { after, pageSize },
    );
    if (rows.length === 0) return;
    yield rows.map((row: { user_id: string; sequence: number }) => ({ userId: row.user_id, sequence: row.sequence }));
    after = rows.at(-1).user_id;
  }
}

/** How many decisions of a cart the log has; 0 where it has no log. */
export async function readSequence(db: Knex, userId: string): Promise<number> {
  const row = await db('cart_commands').where({ user_id: userId }).max('sequence as sequence').first();
  return row?.sequence ?? 0;
}

/** How many events all logs have together. */
export async function countEvents(db: Knex): Promise<number> {
  const { rows } = await db.raw('select count(*) as events from cart_events');
  return rows[0].events;
}

/** The decisions of a cart as they are on record, in order of sequence. */
export async function readRecordedDecisions(db: Knex, userId: string): Promise<RecordedDecision[]> {
  const commands = await db('cart_commands').where({ user_id: userId }).orderBy('sequence');
  const events = await db('cart_events')
    .select('sequence', ...eventColumns)
    .where({ user_id: userId })
    .orderBy('version');
  const eventsOf = new Map<number, CartEvent[]>();
  for (const row of events) eventsOf.set(row.sequence, [...(eventsOf.get(row.sequence) ?? []), toEvent(row)]);
  return commands.map((row) => toDecision(row, eventsOf.get(row.sequence) ?? []));
}
