import type { Knex } from 'knex';
import { mergePrefix } from '../../contract/ids';
import { type BatchPlace, batchCommandId } from '../../domain/batch';
import type { RejectionCode } from '../../domain/decision';
import type { LeftOutLine } from '../../domain/events';
import { limits } from '../../domain/limits';

/** The recorded outcome of a command. `versions` are those of its events. */
export type CommandOutcome = {
  readonly commandId: string;
  readonly type: string;
  readonly issuedAt: string;
  readonly decidedAt: string;
  readonly expectedVersion?: number;
  /** The command's own fields. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly versions: readonly number[];
} & (
  | {
      readonly status: 'applied';
      /** Of a hand-over and of its merge, once the merge is on record: what did not fit. */
      readonly leftOut?: readonly LeftOutLine[];
      readonly leftOutNote?: string;
    }
  | { readonly status: 'rejected'; readonly code: RejectionCode; readonly reason: string }
);

/** Reads the outcome of a command. Returns undefined until the command is projected. */
export async function findOutcome(db: Knex, userId: string, commandId: string): Promise<CommandOutcome | undefined> {
  const { rows } = await db.raw(outcomeOfCommand, [userId, commandId]).options({ name: 'outcome-of-command' });
  return rows.map(toOutcome)[0];
}

/** Reads the outcomes of the commands of a batch, in their order; none until it is projected. */
export async function findBatchOutcomes(db: Knex, userId: string, batchId: string): Promise<CommandOutcome[]> {
  const ids = Array.from({ length: limits.commandsPerBatch }, (_, index) => batchCommandId(batchId, index + 1));
  const { rows } = await db.raw(outcomesOfBatch, [userId, ids]).options({ name: 'outcomes-of-batch' });
  return rows
    .map(toOutcome)
    .filter(({ data }: CommandOutcome) => (data.batch as BatchPlace | undefined)?.id === batchId);
}

/** The part of an outcome that clients can read. */
export function toPublic({ data: _data, expectedVersion: _expectedVersion, ...outcome }: CommandOutcome) {
  return outcome;
}

interface OutcomeRow {
  readonly command_id: string;
  readonly type: string;
  readonly issued_at: Date;
  readonly decided_at: Date;
  readonly expected_version: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly versions: readonly number[];
  readonly outcome: 'applied' | 'rejected';
  readonly code: RejectionCode | null;
  readonly reason: string | null;
  /** The data of the `CartMerged` of a hand-over or a merge. */
  readonly merged: { readonly leftOut: readonly LeftOutLine[]; readonly leftOutNote?: string } | null;
}

function toOutcome(row: OutcomeRow): CommandOutcome {
  const decided = {
    commandId: row.command_id,
    type: row.type,
    issuedAt: row.issued_at.toISOString(),
    decidedAt: row.decided_at.toISOString(),
    ...(row.expected_version === null ? {} : { expectedVersion: row.expected_version }),
    data: row.data,
    versions: row.versions,
  };
  if (row.outcome === 'rejected') return { ...decided, status: 'rejected', code: row.code!, reason: row.reason! };
  if (row.merged === null) return { ...decided, status: 'applied' };
  const { leftOut, leftOutNote } = row.merged;
  return { ...decided, status: 'applied', leftOut, ...(leftOutNote === undefined ? {} : { leftOutNote }) };
}

const outcomes = `
  select type, outcome, issued_at, decided_at, expected_version, data, code, reason, command_id,
         array(select version from cart_events e
               where e.user_id = c.user_id and e.sequence = c.sequence order by version) as versions,
         case type
           when 'mergeCart' then
             (select e.data from cart_events e
              where e.user_id = c.user_id and e.sequence = c.sequence and e.type = 'CartMerged')
           when 'handOverCart' then
             (select e.data from cart_commands merge join cart_events e using (user_id, sequence)
              where merge.user_id = c.data ->> 'to' and merge.command_id = '${mergePrefix}' || c.user_id
                and e.type = 'CartMerged')
         end as merged
  from cart_commands c`;
const outcomeOfCommand = `${outcomes} where user_id = ? and command_id = ?`;
const outcomesOfBatch = `${outcomes} where user_id = ? and command_id = any(?::text[]) order by sequence`;
