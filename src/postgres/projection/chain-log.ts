import type { Knex } from 'knex';
import { checkFirstFormat, firstGenesis } from '../log/first-format';
import { chainDecisions, genesisOf, type SaltedUser } from '../log/hash-chain';
import {
  groupBySequence,
  type StoredEvent,
  type StoredEventRow,
  storedEventColumns,
  toStoredEvent,
} from '../log/read-logs';
import { type CartCommandRow, toDecision, toHashColumns } from '../log/rows';

/** The record of a cart was changed by somebody who may change the log: nothing can be added to it. */
export class BrokenChainError extends Error {
  override readonly name = 'BrokenChainError';
}

const decisionsAtOnce = 2_000;

/**
 * Gives hashes to all decisions of a cart that have none: they were written before there was a chain over decisions, or
 * by a worker that does not know of it. The cart must be locked.
 * @returns the hash of the last decision, or what is wrong with the log.
 */
export async function chainAll(trx: Knex, user: SaltedUser): Promise<Buffer | BrokenChainError> {
  for (;;) {
    const chained = await chainNext(trx, user);
    if (chained instanceof BrokenChainError || chained.isDone)
      return 'headHash' in chained ? chained.headHash : chained;
  }
}

/** As `chainAll`, for a limited number of decisions. */
export async function chainNext(
  trx: Knex,
  user: SaltedUser,
): Promise<{ readonly headHash: Buffer; readonly isDone: boolean } | BrokenChainError> {
  const { userId } = user;
  const before = await trx('cart_commands')
    .select('sequence', 'hash')
    .where({ user_id: userId })
    .whereNotNull('hash')
    .orderBy('sequence', 'desc')
    .first();
  const after: number = before?.sequence ?? 0;
  const headHash: Buffer = before?.hash ?? genesisOf('decisions', user);
  const rows: CartCommandRow[] = await trx('cart_commands')
    .where({ user_id: userId })
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(decisionsAtOnce);
  if (rows.length === 0) return { headHash, isDone: true };
  const events = await readFirstFormat(trx, userId, after, rows.at(-1)!.sequence);
  const lastHash = await readLastHash(trx, userId, after);
  const heads = await readHeadsAmong(trx, userId, events);
  const [problem] = [findGap(after, rows), findUnhashed(events), findBreak(userId, events, lastHash, heads)].filter(
    (found) => found !== undefined,
  );
  if (problem !== undefined) return new BrokenChainError(`The log of cart ${userId} is broken: ${problem}.`);
  const eventsOf = groupBySequence(events);
  const decisions = rows.map((row) => toDecision(row, eventsOf.get(row.sequence) ?? []));
  const links = chainDecisions(headHash, user, decisions, new Map(events.map((each) => [each.event.version, each])));
  const hashes = links.map((link, index) => ({ sequence: rows[index]!.sequence, ...toHashColumns(link) }));
  await trx.raw(setHashes, { hashes: JSON.stringify(hashes), userId });
  return { headHash: links.at(-1)!.hash, isDone: rows.length < decisionsAtOnce };
}

async function readFirstFormat(trx: Knex, userId: string, after: number, last: number): Promise<StoredEvent[]> {
  const rows = await trx('cart_events')
    .select(...storedEventColumns)
    .where({ user_id: userId })
    .where('sequence', '>', after)
    .where('sequence', '<=', last)
    .orderBy('version');
  return rows.map((row) => toStoredEvent(row as StoredEventRow));
}

/** The hash of the last event up to a decision. Null where that event has none. */
async function readLastHash(trx: Knex, userId: string, sequence: number): Promise<Buffer | null> {
  const last = await trx('cart_events')
    .where({ user_id: userId })
    .where('sequence', '<=', sequence)
    .orderBy('version', 'desc')
    .first('hash');
  return last === undefined ? firstGenesis : last.hash;
}

/** Those previous hashes of events that are hashes of decisions of the cart. */
async function readHeadsAmong(trx: Knex, userId: string, events: readonly StoredEvent[]): Promise<Set<string>> {
  const previous = events.map(({ previousHash }) => previousHash).filter((hash) => hash !== null);
  const heads: Buffer[] = await trx('cart_commands').where({ user_id: userId }).whereIn('hash', previous).pluck('hash');
  return new Set(heads.map((hash) => hash.toString('hex')));
}

function findGap(after: number, rows: readonly CartCommandRow[]): string | undefined {
  const gap = rows.findIndex(({ sequence }, index) => sequence !== after + 1 + index);
  return gap === -1 ? undefined : `decision ${after + 1 + gap} is missing`;
}

function findUnhashed(events: readonly StoredEvent[]): string | undefined {
  const unhashed = events.find(({ hash }) => hash === null);
  return unhashed && `version ${unhashed.event.version}: neither it nor its decision has a hash`;
}

function findBreak(
  userId: string,
  events: readonly StoredEvent[],
  lastHash: Buffer | null,
  heads: ReadonlySet<string>,
): string | undefined {
  const [wrong] = checkFirstFormat(userId, events, lastHash, heads);
  return wrong && `version ${wrong.version}: ${wrong.what}`;
}

const setHashes = `
  update cart_commands c
  set hash_format = new.hash_format, previous_hash = new.previous_hash, hash = new.hash
  from jsonb_to_recordset(:hashes::jsonb) as new (sequence integer, hash_format smallint, previous_hash bytea, hash bytea)
  where c.user_id = :userId and c.sequence = new.sequence and c.hash is null`;
