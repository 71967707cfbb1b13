import type { Knex } from 'knex';

/** What a repair did to the record of a cart. */
export interface RepairNote {
  readonly repairedAt: string;
  /** The first decision that was replaced, or is lost. */
  readonly first: number;
  readonly reasons: readonly string[];
  /** Whether a person accepted what no history can confirm or fill. */
  readonly isAccepted: boolean;
  /** The first decision that is lost, where a person has accepted that. */
  readonly acceptedGap?: number;
}

/** The rows of the log that a repair replaced, as JSON of Postgres. */
export interface OldRows {
  readonly commands: readonly OldCommand[];
  readonly events: readonly unknown[];
}

interface OldCommand {
  readonly sequence: number;
  /** In the text form of Postgres. */
  readonly hash: string | null;
}

/** A repair as it is kept. */
export interface StoredRepair {
  readonly note: RepairNote;
  readonly signature: Buffer;
  readonly oldRows: OldRows;
}

/** Reads the rows of a cart's log from a decision on, as they are, with all columns. */
export async function readRows(db: Knex, userId: string, first: number): Promise<OldRows> {
  const { rows } = await db.raw(rowsFrom, { userId, first });
  return rows[0];
}

/** Reads the repairs of a cart, the newest first. */
export async function readRepairs(db: Knex, userId: string): Promise<StoredRepair[]> {
  const rows = await db('cart_repairs').where({ user_id: userId }).orderBy('repaired_at', 'desc');
  return rows.map((row) => ({ note: row.note, signature: row.signature, oldRows: row.old_rows }));
}

/** Whether a person has accepted that this decision, and those after it, are lost. */
export async function isGapAccepted(db: Knex, userId: string, missing: number): Promise<boolean> {
  const [newest] = await readRepairs(db, userId);
  return newest?.note.acceptedGap === missing;
}

const rowsFrom = `
  select coalesce((select jsonb_agg(to_jsonb(c) order by sequence) from cart_commands c
                   where user_id = :userId and sequence >= :first), '[]') as commands,
         coalesce((select jsonb_agg(to_jsonb(e) order by version) from cart_events e
                   where user_id = :userId and sequence >= :first), '[]') as events`;
