import type { Knex } from 'knex';
import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import { hashEvent } from './hash-chain';
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
  /** By sequence. */
  readonly commands: ReadonlyMap<number, { readonly commandId: string; readonly outcome: string }>;
  /** By version. */
  readonly events: ReadonlyMap<number, { readonly previousHash: Buffer; readonly hash: Buffer }>;
}

/**
 * Compares decisions with the log in Postgres by their ids, outcomes and hashes, which takes little of it.
 * `ops verify` compares every field instead.
 * @returns each difference, in words.
 */
export function* compareLog(stored: StoredPart, decisions: readonly RecordedDecision[]): Generator<string> {
  for (const { sequence, command, outcome, events } of decisions) {
    const recorded = stored.commands.get(sequence);
    if (recorded === undefined) {
      yield `Temporal has decision ${sequence}, Postgres does not: run ops heal`;
      continue;
    }
    if (recorded.outcome !== outcome || !isRecordedAs(recorded.commandId, command.commandId, sequence)) {
      const inPostgres = `has command ${recorded.commandId} (${recorded.outcome}) as decision ${sequence} in Postgres`;
      yield `fork: it ${inPostgres}, and ${command.commandId} (${outcome}) in Temporal`;
    }
    for (const event of events) {
      if (hasEvent(stored, event)) continue;
      yield `fork: Postgres has another event at version ${event.version} than Temporal (${event.type})`;
    }
  }
}

function hasEvent({ userId, events }: StoredPart, event: CartEvent): boolean {
  const stored = events.get(event.version);
  return stored !== undefined && hashEvent(stored.previousHash, userId, event).equals(stored.hash);
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
  readonly modelled: number | null;
  readonly logged: number | null;
  readonly commands: readonly { readonly sequence: number; readonly id: string; readonly outcome: string }[] | null;
  readonly versions: readonly number[] | null;
  /** The previous hash and the hash of each version, all joined. */
  readonly hashes: Buffer | null;
}

const storedParts = `
  select requested.user_id, carts.sequence as modelled,
         (select max(sequence) from cart_commands c where c.user_id = requested.user_id) as logged,
         (select json_agg(json_build_object('sequence', sequence, 'id', command_id, 'outcome', outcome))
          from cart_commands c where c.user_id = requested.user_id and sequence between first and last) as commands,
         event.versions, event.hashes
  from json_to_recordset(?::json) as requested (place integer, user_id text, first integer, last integer,
                                                first_version integer, last_version integer)
  left join carts using (user_id)
  cross join lateral (
    select array_agg(version order by version) as versions,
           string_agg(previous_hash || hash, '' order by version) as hashes
    from cart_events e where e.user_id = requested.user_id and version between first_version and last_version
  ) as event
  order by place`;

const hashLength = 32;

function toStoredPart({ user_id, commands, versions, hashes }: StoredPartRow): StoredPart {
  const pairs = (versions ?? []).map((version, index) => {
    const start = index * 2 * hashLength;
    const previousHash = hashes!.subarray(start, start + hashLength);
    return [version, { previousHash, hash: hashes!.subarray(start + hashLength, start + 2 * hashLength) }] as const;
  });
  return {
    userId: user_id,
    commands: new Map((commands ?? []).map(({ sequence, id, outcome }) => [sequence, { commandId: id, outcome }])),
    events: new Map(pairs),
  };
}
