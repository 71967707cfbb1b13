import type { Knex } from 'knex';
import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import { hashEvent } from './first-format';
import { type FirstHashes, hashDecision } from './hash-chain';
import { isRecordedAs } from './rows';

/** At the same place of the log, Postgres and the history have different decisions or events. */
export class ForkError extends Error {
  override readonly name = 'ForkError';
}

/** Decisions of one cart from its histories, in order of sequence. */
export interface CartLog {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/** The part of a cart's log in Postgres that is compared with decisions. */
export interface StoredPart {
  readonly userId: string;
  /** Null where the user has none yet; then no decision has a hash. */
  readonly salt: Buffer | null;
  /** By sequence. */
  readonly commands: ReadonlyMap<number, StoredCommand>;
  readonly firstHashes: FirstHashes;
}

interface StoredCommand {
  readonly commandId: string;
  readonly outcome: string;
  readonly previousHash: Buffer | null;
  readonly hash: Buffer | null;
}

/**
 * Compares decisions with the log in Postgres by their ids, outcomes and hashes, which takes little of it.
 * `ops verify` compares every field instead.
 * @returns each difference, in words.
 */
export function* compareLog(stored: StoredPart, decisions: readonly RecordedDecision[]): Generator<string> {
  for (const decision of decisions) {
    const { sequence, command, outcome } = decision;
    const recorded = stored.commands.get(sequence);
    if (recorded === undefined) {
      yield `Temporal has decision ${sequence}, Postgres does not: run ops heal`;
    } else if (recorded.outcome !== outcome || !isRecordedAs(recorded.commandId, command.commandId, sequence)) {
      const inPostgres = `has command ${recorded.commandId} (${recorded.outcome}) as decision ${sequence} in Postgres`;
      yield `fork: it ${inPostgres}, and ${command.commandId} (${outcome}) in Temporal`;
    } else if (!isSameContent(stored, recorded, decision)) {
      yield `fork: decision ${sequence} (${command.commandId}) has other fields or events in Postgres than in Temporal`;
    }
  }
}

function isSameContent(stored: StoredPart, recorded: StoredCommand, decision: RecordedDecision): boolean {
  const { userId, salt, firstHashes } = stored;
  const { commandId, previousHash, hash } = recorded;
  if (salt === null || previousHash === null || hash === null) {
    return decision.events.every((event) => hasEvent(stored, event));
  }
  const asRecorded = { ...decision, command: { ...decision.command, commandId } };
  return hashDecision(previousHash, { userId, salt }, asRecorded, firstHashes).equals(hash);
}

/** For decisions without a hash. Those have events with hashes. */
function hasEvent({ userId, firstHashes }: StoredPart, event: CartEvent): boolean {
  const { previousHash, hash } = firstHashes.get(event.version) ?? {};
  return Boolean(previousHash && hash && hashEvent(previousHash, userId, event).equals(hash));
}

/**
 * What Postgres has of a cart of which a history has decisions. `unequal` includes a read model that is behind the
 * log.
 */
export type LogComparison = 'absent' | 'equal' | 'unequal';

/** Compares gap-free logs of many carts with Postgres, with one statement. */
export async function compareLogs(db: Knex, logs: readonly CartLog[]): Promise<LogComparison[]> {
  const stored = await readStoredParts(db, logs);
  return logs.map(({ decisions }, index) => {
    const { part, loggedSequence, readModelSequence } = stored[index]!;
    if (loggedSequence === null && readModelSequence === null) return 'absent';
    const isEqual = loggedSequence === readModelSequence && compareLog(part, decisions).next().done;
    return isEqual ? 'equal' : 'unequal';
  });
}

/** Reads from Postgres what it has at the places of these gap-free decisions, with one statement for all carts. */
export async function readStoredParts(db: Knex, logs: readonly CartLog[]) {
  const ranges = logs.map(({ userId, decisions }, place) => {
    const events = decisions.flatMap((decision) => decision.events);
    return {
      place,
      user_id: userId,
      first: decisions[0]?.sequence,
      last: decisions.at(-1)?.sequence,
      first_version: events[0]?.version,
      last_version: events.at(-1)?.version,
    };
  });
  const { rows } = await db.raw(storedParts, [JSON.stringify(ranges)]).options({ name: 'stored-parts' });
  return rows.map((row: StoredPartRow) => ({
    part: toStoredPart(row),
    loggedSequence: row.logged,
    readModelSequence: row.modelled,
  })) as { part: StoredPart; loggedSequence: number | null; readModelSequence: number | null }[];
}

interface StoredPartRow {
  readonly user_id: string;
  readonly salt: Buffer | null;
  readonly modelled: number | null;
  readonly logged: number | null;
  readonly commands: readonly CommandColumns[] | null;
  readonly events: readonly HashColumns[] | null;
}

interface HashColumns {
  readonly version: number;
  /** In hexadecimal digits. */
  readonly previous_hash: string | null;
  readonly hash: string | null;
}

interface CommandColumns extends Omit<HashColumns, 'version'> {
  readonly sequence: number;
  readonly id: string;
  readonly outcome: string;
}

const hashColumns = `'previous_hash', encode(previous_hash, 'hex'), 'hash', encode(hash, 'hex')`;

// Most events have no hash of their own.
const storedParts = `
  select requested.user_id, carts.sequence as modelled, cart_users.salt,
         (select max(sequence) from cart_commands c where c.user_id = requested.user_id) as logged,
         (select json_agg(json_build_object('sequence', sequence, 'id', command_id, 'outcome', outcome, ${hashColumns}))
          from cart_commands c where c.user_id = requested.user_id and sequence between first and last) as commands,
         (select json_agg(json_build_object('version', version, ${hashColumns})) from cart_events e
          where e.user_id = requested.user_id and version between first_version and last_version
            and hash is not null) as events
  from json_to_recordset(?::json) as requested (place integer, user_id text, first integer, last integer,
                                                first_version integer, last_version integer)
  left join carts using (user_id)
  left join cart_users using (user_id)
  order by place`;

const toBuffer = (digits: string | null): Buffer | null => (digits === null ? null : Buffer.from(digits, 'hex'));

const toHashes = (row: Omit<HashColumns, 'version'>) => ({
  previousHash: toBuffer(row.previous_hash),
  hash: toBuffer(row.hash),
});

function toStoredPart({ user_id, salt, commands, events }: StoredPartRow): StoredPart {
  return {
    userId: user_id,
    salt,
    commands: new Map(
      (commands ?? []).map((row) => [row.sequence, { commandId: row.id, outcome: row.outcome, ...toHashes(row) }]),
    ),
    firstHashes: new Map((events ?? []).map((row) => [row.version, toHashes(row)])),
  };
}
