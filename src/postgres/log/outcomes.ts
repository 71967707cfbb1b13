import type { Knex } from 'knex';
import type { RejectionCode } from '../../domain/decide';

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
  | { readonly status: 'applied' }
  | { readonly status: 'rejected'; readonly code: RejectionCode; readonly reason: string }
);

/** Reads the outcome of a command. Returns undefined until the command is projected. */
export async function findOutcome(db: Knex, userId: string, commandId: string): Promise<CommandOutcome | undefined> {
  const { rows } = await db.raw(outcomeOfCommand, [userId, commandId]).options({ name: 'outcome-of-command' });
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    commandId: row.command_id,
    type: row.type,
    status: row.outcome,
    issuedAt: row.issued_at.toISOString(),
    decidedAt: row.decided_at.toISOString(),
    ...(row.expected_version === null ? {} : { expectedVersion: row.expected_version }),
    data: row.data,
    versions: row.versions,
    ...(row.outcome === 'applied' ? {} : { code: row.code, reason: row.reason }),
  };
}

const outcomeOfCommand = `
  select type, outcome, issued_at, decided_at, expected_version, data, code, reason, command_id,
         array(select version from cart_events e
               where e.user_id = c.user_id and e.sequence = c.sequence order by version) as versions
  from cart_commands c where user_id = ? and command_id = ?`;
