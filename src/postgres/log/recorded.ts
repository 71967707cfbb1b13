import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import { fingerprintOf } from '../../domain/fingerprint';
import type { DecisionRef, RecordedDecision } from '../../domain/handle';
import { markReuse } from '../../domain/recent-commands';

/** A decision on record, as far as a batch is compared with it. */
export interface RecordedRef extends DecisionRef {
  readonly fingerprint: string;
  /** Whether it rejected the reuse of an id. */
  readonly isReuse: boolean;
}

/**
 * The decisions on record that batches must be compared with: those from the one that a batch follows on up to its
 * last, and those that have the id of one of its commands. One statement, however many batches.
 * @returns by batch, in order of sequence.
 */
export async function readRecordedRefs(
  db: Knex,
  batches: readonly Batch[],
): Promise<ReadonlyMap<Batch, readonly RecordedRef[]>> {
  const found = new Map<Batch, RecordedRef[]>(batches.map((batch) => [batch, []]));
  if (batches.length === 0) return found;
  const asked = batches.map(({ userId, decisions }, place) => ({
    place,
    user_id: userId,
    first: decisions[0]!.sequence - 1,
    last: decisions.at(-1)!.sequence,
    ids: decisions.map(({ command }) => command.commandId),
    reused: decisions.filter(isReuse).map(({ command }) => withoutSequence(command.commandId)),
  }));
  const { rows } = await db.raw(recordedRefs, [JSON.stringify(asked)]).options({ name: 'recorded-refs' });
  for (const row of rows as Row[]) found.get(batches[row.place]!)!.push(toRecordedRef(row));
  return found;
}

/** The decisions on record under any of these ids, or that rejected a reuse of one of them. */
export async function readRecordedUnder(db: Knex, userId: string, ids: readonly string[]): Promise<RecordedRef[]> {
  const { rows } = await db.raw(recordedUnder, { userId, ids: [...ids] }).options({ name: 'recorded-under' });
  return rows.map(toRecordedRef);
}

/** Those ids of these carts' commands that are on record, by user. */
export async function readUsedIds(
  db: Knex,
  commands: readonly { readonly userId: string; readonly commandId: string }[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const used = new Map<string, Set<string>>();
  const { rows } = await db.raw(usedIds, [JSON.stringify(commands)]).options({ name: 'used-ids' });
  for (const { user_id, command_id } of rows) used.set(user_id, (used.get(user_id) ?? new Set()).add(command_id));
  return used;
}

/** The decisions that were made after an instant, the newest first. */
export async function readDecidedAfter(db: Knex, userId: string, instant: string): Promise<RecordedRef[]> {
  const { rows } = await db.raw(decidedAfter, [userId, instant]).options({ name: 'decided-after' });
  return rows.map(toRecordedRef);
}

/** All decisions on record of a cart, the newest first. */
export const readAllRefs = (db: Knex, userId: string): Promise<RecordedRef[]> =>
  readDecidedAfter(db, userId, '-infinity');

/** The decisions on record that a run made, in order. */
export async function readRefsOfRun(db: Knex, userId: string, runId: string): Promise<RecordedRef[]> {
  const { rows } = await db.raw(refsOfRun, [userId, runId]).options({ name: 'refs-of-run' });
  return rows.map(toRecordedRef);
}

/** Whether the decision rejected the reuse of an id. */
export const isReuse = (decision: RecordedDecision): boolean =>
  decision.outcome === 'rejected' && decision.code === 'idempotency_key_reused';

/** What is remembered of a reuse that is recorded under this id. */
export const reuseOf = (commandId: string, fingerprint: string): string =>
  markReuse(withoutSequence(commandId), fingerprint);

/** The id that was reused: without the `~<sequence>` under which the reuse is recorded. */
export const withoutSequence = (commandId: string): string => commandId.slice(0, commandId.lastIndexOf('~'));

interface Row {
  readonly place: number;
  readonly sequence: number;
  readonly command_id: string;
  readonly run_id: string;
  readonly decided_at: Date;
  readonly type: string;
  readonly expected_version: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly code: string | null;
}

export const toRecordedRef = (row: Omit<Row, 'place'>): RecordedRef => ({
  sequence: row.sequence,
  commandId: row.command_id,
  runId: row.run_id,
  decidedAt: row.decided_at.toISOString(),
  fingerprint: fingerprintOf({
    type: row.type,
    expectedVersion: row.expected_version ?? undefined,
    data: row.data,
  }),
  isReuse: row.code === 'idempotency_key_reused',
});

/** What a checkpoint remembers of these decisions. */
export const toRemembered = (refs: readonly RecordedRef[]) => ({
  recentCommandIds: refs.map(({ commandId }) => commandId),
  recentFingerprints: refs.map(({ commandId, fingerprint, isReuse }) =>
    isReuse ? reuseOf(commandId, fingerprint) : fingerprint,
  ),
});

/** SQL: the columns that `toRecordedRef` reads. What a restored cart was is not part of a fingerprint. */
export const recordedRefColumns = `c.sequence, c.command_id, c.run_id, c.decided_at, c.type, c.expected_version,
         c.data - 'items' as data, c.code`;

/** SQL: the id without the `~<sequence>` under which a reuse is recorded. */
const reusedId = "left(command_id, -position('~' in reverse(command_id)))";

const recordedUnder = `
  select ${recordedRefColumns} from cart_commands c
  where user_id = :userId and (command_id = any(:ids::text[])
                               or (code = 'idempotency_key_reused' and ${reusedId} = any(:ids::text[])))`;

const usedIds = `
  select c.user_id, c.command_id
  from jsonb_to_recordset(?::jsonb) as asked ("userId" text, "commandId" text)
  join cart_commands c on c.user_id = asked."userId" and c.command_id = asked."commandId"`;

const decidedAfter = `
  select ${recordedRefColumns} from cart_commands c where user_id = ? and decided_at > ?::timestamptz order by sequence desc`;

const refsOfRun = `
  select ${recordedRefColumns} from cart_commands c where user_id = ? and run_id = ? order by sequence`;

const recordedRefs = `
  select asked.place, ${recordedRefColumns}
  from jsonb_to_recordset(?::jsonb) as asked (place integer, user_id text, first integer, last integer, ids jsonb, reused jsonb)
  cross join lateral (
    select * from cart_commands where user_id = asked.user_id and sequence between asked.first and asked.last
    union all
    select * from cart_commands
    where user_id = asked.user_id and command_id = any(array(select jsonb_array_elements_text(asked.ids)))
      and sequence not between asked.first and asked.last
    union all
    select * from cart_commands
    where jsonb_array_length(asked.reused) > 0 and user_id = asked.user_id and code = 'idempotency_key_reused'
      and ${reusedId} in (select jsonb_array_elements_text(asked.reused))
      and sequence not between asked.first and asked.last
      and command_id <> all(array(select jsonb_array_elements_text(asked.ids)))
  ) as c
  order by asked.place, c.sequence`;
