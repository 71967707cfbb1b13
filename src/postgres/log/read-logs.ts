import type { Knex } from 'knex';
import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import { groupByUser } from '../group-by-user';
import type { FirstFormatEvent } from './first-format';
import { type CartEventRow, eventColumns, toDecision, toEvent } from './rows';

/** An event in the log in Postgres. */
export interface StoredEvent extends FirstFormatEvent {
  readonly sequence: number;
}

/** A command in the log in Postgres. */
export interface StoredCommand {
  readonly sequence: number;
  readonly commandId: string;
  readonly outcome: string;
  /** The hash of the decision; null where it has none yet. */
  readonly hash: Buffer | null;
}

/** A decision in the log in Postgres, with its place in the hash chain. */
export interface StoredDecision {
  readonly decision: RecordedDecision;
  readonly format: number | null;
  readonly previousHash: Buffer | null;
  readonly hash: Buffer | null;
}

/** The complete log of one cart in Postgres, in order. */
export interface StoredLog {
  readonly userId: string;
  readonly commands: readonly StoredCommand[];
  readonly events: readonly StoredEvent[];
}

/** The columns that `toStoredEvent` reads. */
export const storedEventColumns = ['sequence', 'previous_hash', 'hash', ...eventColumns] as const;

export interface StoredEventRow extends CartEventRow {
  readonly sequence: number;
  readonly previous_hash: Buffer | null;
  readonly hash: Buffer | null;
}

/** Converts a row of `cart_events` to its event with its place in the log. */
export const toStoredEvent = (row: StoredEventRow): StoredEvent => ({
  event: toEvent(row),
  sequence: row.sequence,
  previousHash: row.previous_hash,
  hash: row.hash,
});

/** Groups events by the sequence of their decision. They keep their order. */
export function groupBySequence(events: readonly StoredEvent[]): Map<number, CartEvent[]> {
  const groups = new Map<number, CartEvent[]>();
  for (const { event, sequence } of events) {
    const group = groups.get(sequence);
    if (group) group.push(event);
    else groups.set(sequence, [event]);
  }
  return groups;
}

/** Reads the logs of these carts, in the order of `userIds`, with two statements for all carts. */
export async function readLogs(db: Knex, userIds: readonly string[]): Promise<StoredLog[]> {
  const commands = await db('cart_commands')
    .select('user_id', 'sequence', 'command_id', 'outcome', 'hash')
    .whereIn('user_id', userIds)
    .orderBy(['user_id', 'sequence']);
  const events = await db('cart_events')
    .select('user_id', ...storedEventColumns)
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
      hash: row.hash,
    })),
    events: (eventsOf.get(userId) ?? []).map((row) => toStoredEvent(row as StoredEventRow)),
  }));
}

/** Lists the carts that have a log, with the number of their decisions, in pages and in order of user id. */
export async function* listLoggedCarts(
  db: Knex,
  pageSize: number,
): AsyncGenerator<readonly { readonly userId: string; readonly sequence: number }[]> {
  let after = '';
  for (;;) {
    // Jumps in the primary key from cart to cart, so that it does not read every row of the log.
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

/** Reads the number of a cart's decisions in the log; 0 if it has no log. */
export async function readSequence(db: Knex, userId: string): Promise<number> {
  const row = await db('cart_commands').where({ user_id: userId }).max('sequence as sequence').first();
  return row?.sequence ?? 0;
}

/** Counts the events of all carts. */
export async function countEvents(db: Knex): Promise<number> {
  const { rows } = await db.raw('select count(*) as events from cart_events');
  return rows[0].events;
}

/** Reads the decisions of a cart as they are on record, in order of sequence, with the events of its log. */
export async function readStoredDecisions(db: Knex, { userId, events }: StoredLog): Promise<StoredDecision[]> {
  const commands = await db('cart_commands').where({ user_id: userId }).orderBy('sequence');
  const eventsOf = groupBySequence(events);
  return commands.map((row) => ({
    decision: toDecision(row, eventsOf.get(row.sequence) ?? []),
    format: row.hash_format,
    previousHash: row.previous_hash,
    hash: row.hash,
  }));
}

/** All that the hash chain over the decisions of a cart covers. In one transaction they are of one moment. */
export async function readChainedLog(db: Knex, userId: string) {
  const [log] = (await readLogs(db, [userId])) as [StoredLog];
  return { log, salt: await readSalt(db, userId), decisions: await readStoredDecisions(db, log) };
}

/** Reads the last decisions on record of a cart, in order. */
export async function readLastDecisions(db: Knex, userId: string, count: number): Promise<RecordedDecision[]> {
  const commands = await db('cart_commands').where({ user_id: userId }).orderBy('sequence', 'desc').limit(count);
  const sequences = commands.map(({ sequence }) => sequence);
  const events = await db('cart_events')
    .select(...storedEventColumns)
    .where({ user_id: userId })
    .whereIn('sequence', sequences)
    .orderBy('version');
  const eventsOf = groupBySequence(events.map((row) => toStoredEvent(row as StoredEventRow)));
  return commands.reverse().map((row) => toDecision(row, eventsOf.get(row.sequence) ?? []));
}

/** Reads the salt of a user; null where there is none. */
export async function readSalt(db: Knex, userId: string): Promise<Buffer | null> {
  return (await db('cart_users').where({ user_id: userId }).first('salt'))?.salt ?? null;
}
