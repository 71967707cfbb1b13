import type { Knex } from 'knex';
import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import { hashEvent } from './hash-chain';
import { isRecordedAs } from './rows';

/** Postgres has another decision or event at a place of the log than the history has. */
export class ForkError extends Error {
  override readonly name = 'ForkError';
}

/** Decisions of one cart as a history has them, in order of sequence. */
export interface CartLog {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/** The part of a cart's log in Postgres that decisions are compared with. */
export interface StoredPart {
  readonly userId: string;
  /** By sequence. */
  readonly commands: ReadonlyMap<number, { readonly commandId: string; readonly outcome: string }>;
  /** By version. */
  readonly events: ReadonlyMap<number, { readonly previousHash: Buffer; readonly hash: Buffer }>;
}

/** A place of the log where Postgres does not have what the history has. */
export interface LogDifference {
  readonly place: { readonly sequence: number } | { readonly version: number };
  readonly what: string;
}

/** Compares decisions with what Postgres has at their places. Every comparison of the log with a history is made here. */
export function* compareLog(stored: StoredPart, decisions: readonly RecordedDecision[]): Generator<LogDifference> {
  for (const { sequence, command, outcome, events } of decisions) {
    const there = stored.commands.get(sequence);
    if (there === undefined) {
      const what = `Temporal has decision ${sequence}, Postgres does not: run ops heal`;
      yield { place: { sequence }, what };
      continue;
    }
    if (there.outcome !== outcome || !isRecordedAs(there.commandId, command.commandId, sequence)) {
      const ours = `has command ${there.commandId} (${there.outcome}) as decision ${sequence} in Postgres`;
      yield { place: { sequence }, what: `fork: it ${ours}, and ${command.commandId} (${outcome}) in Temporal` };
    }
    for (const event of events) {
      if (isStored(stored, event)) continue;
      const { version, type } = event;
      yield {
        place: { version },
        what: `fork: Postgres has another event at version ${version} than Temporal (${type})`,
      };
    }
  }
}

function isStored({ userId, events }: StoredPart, event: CartEvent): boolean {
  const there = events.get(event.version);
  return there !== undefined && hashEvent(there.previousHash, userId, event).equals(there.hash);
}

/** What Postgres has of a cart of which a history has decisions. `unequal` includes a read model that is behind the log. */
export type LogComparison = 'absent' | 'equal' | 'unequal';

/** Compares the logs of many carts, whose decisions are gap-free, with Postgres in one statement. */
export async function compareLogs(db: Knex, logs: readonly CartLog[]): Promise<LogComparison[]> {
  const stored = await readStoredParts(db, logs);
  return logs.map(({ decisions }, index) => {
    const { part, loggedSequence, readModelSequence } = stored[index]!;
    if (loggedSequence === null && readModelSequence === null) return 'absent';
    const isEqual = loggedSequence === readModelSequence && compareLog(part, decisions).next().done;
    return isEqual ? 'equal' : 'unequal';
  });
}

/** What Postgres has at the places of these decisions, which are gap-free. One statement, however many carts. */
export async function readStoredParts(db: Knex, logs: readonly CartLog[]) {
  const asked = logs.map(({ userId, decisions }, place) => {
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
  const { rows } = await db.raw(storedParts, [JSON.stringify(asked)]).options({ name: 'stored-parts' });
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
  /** Of each version the previous hash and the hash. */
  readonly hashes: Buffer | null;
}

const storedParts = `
  select asked.user_id, carts.sequence as modelled,
         (select max(sequence) from cart_commands c where c.user_id = asked.user_id) as logged,
         (select json_agg(json_build_object('sequence', sequence, 'id', command_id, 'outcome', outcome))
          from cart_commands c where c.user_id = asked.user_id and sequence between first and last) as commands,
         event.versions, event.hashes
  from json_to_recordset(?::json) as asked (place integer, user_id text, first integer, last integer,
                                            first_version integer, last_version integer)
  left join carts using (user_id)
  cross join lateral (
    select array_agg(version order by version) as versions, string_agg(previous_hash || hash, '' order by version) as hashes
    from cart_events e where e.user_id = asked.user_id and version between first_version and last_version
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
