import type { Knex } from 'knex';
import { cartWorkflowId } from '../contract/ids';
import { commitmentOf, genesisOf, hashEntry, type SaltedUser } from './log/hash-chain';
import { toHashColumns } from './log/rows';
import { ensureSalts } from './projection/salts';

/** A row of the archive with its place in the user's hash chain. */
export interface ArchiveRow {
  readonly archive_sequence: number | null;
  readonly run_id: string;
  readonly workflow_id: string;
  readonly previous_run_id: string | null;
  readonly started_at: Date;
  readonly closed_at: Date;
  readonly closed_as: string;
  readonly event_count: number;
  /** In RFC 3339 with microseconds: as exact as Postgres stores it. */
  readonly archived_at: string;
  /** SHA-256 of the history, and of the compressed bytes that are stored, in hexadecimal digits. */
  readonly sha256: string;
  readonly stored_sha256: string;
  readonly hash_format: number | null;
  readonly previous_hash: Buffer | null;
  readonly hash: Buffer | null;
}

/** Reads the archived runs of a user in the order of their chain, without histories; those without a hash last. */
export async function readArchiveChain(db: Knex, userId: string): Promise<ArchiveRow[]> {
  const { rows } = await db.raw(archiveChain, [userId]);
  return rows;
}

/** Hashes a row as it is stored. @param sequence its place in the chain, from 1. */
export function hashArchiveRow(previousHash: Buffer, user: SaltedUser, sequence: number, row: ArchiveRow): Buffer {
  return hashEntry(previousHash, {
    sequence,
    runId: row.run_id,
    workflowId: row.workflow_id === cartWorkflowId(user.userId) ? cartWorkflowId(commitmentOf(user)) : row.workflow_id,
    ...(row.previous_run_id === null ? {} : { previousRunId: row.previous_run_id }),
    startedAt: row.started_at.toISOString(),
    closedAt: row.closed_at.toISOString(),
    closedAs: row.closed_as,
    eventCount: row.event_count,
    archivedAt: row.archived_at,
    sha256: row.sha256,
    storedSha256: row.stored_sha256,
  });
}

/**
 * Gives hashes to the archived runs of a user that have none, in the order in which they were archived. It locks the
 * user, so that the archive of a user grows by one run after another.
 */
export async function chainArchive(trx: Knex.Transaction, userId: string): Promise<void> {
  await ensureSalts(trx, [userId]);
  const { salt } = await trx('cart_users').where({ user_id: userId }).forUpdate().first('salt');
  const user = { userId, salt };
  const rows = await readArchiveChain(trx, userId);
  const last = rows.findLast(({ hash }) => hash !== null);
  let sequence = last?.archive_sequence ?? 0;
  let previousHash = last?.hash ?? genesisOf('archive', user);
  for (const row of rows.filter(({ hash }) => hash === null)) {
    sequence += 1;
    const hash = hashArchiveRow(previousHash, user, sequence, row);
    const columns = { archive_sequence: sequence, ...toHashColumns({ previousHash, hash }) };
    await trx('cart_histories').where({ run_id: row.run_id }).update(columns);
    previousHash = hash;
  }
}

/** Gives hashes to the archived runs that have none, of all users. @returns how many users had such runs. */
export async function chainArchives(db: Knex, signal: AbortSignal): Promise<number> {
  const users: string[] = await db('cart_histories').distinct('user_id').whereNull('hash').pluck('user_id');
  let done = 0;
  for (const userId of users) {
    if (signal.aborted) break;
    await db.transaction((trx) => chainArchive(trx, userId));
    done += 1;
  }
  return done;
}

const archiveChain = `
  select archive_sequence, run_id, workflow_id, previous_run_id, started_at, closed_at, closed_as, event_count,
         to_char(archived_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as archived_at,
         encode(sha256, 'hex') as sha256, encode(sha256(history), 'hex') as stored_sha256,
         hash_format, previous_hash, hash
  from cart_histories h where user_id = ? order by archive_sequence nulls last, h.archived_at, run_id`;
