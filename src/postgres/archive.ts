import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Knex } from 'knex';
import { chainArchive } from './archive-chain';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A closed run in the archive, without its history. */
export interface ArchivedRun {
  readonly userId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly previousRunId: string | undefined;
  readonly startedAt: string;
  readonly closedAt: string;
  /** How the run ended, in Temporal's words: `ContinuedAsNew`, `Completed`, `Terminated`, … */
  readonly closedAs: string;
  readonly eventCount: number;
}

/**
 * Archives a closed run. A run that is already in the archive does not change.
 * @param history Temporal's History message in protobuf.
 * @returns whether the run is new in the archive.
 */
export async function archive(db: Knex, run: ArchivedRun, history: Uint8Array): Promise<boolean> {
  const row = {
    run_id: run.runId,
    user_id: run.userId,
    workflow_id: run.workflowId,
    previous_run_id: run.previousRunId ?? null,
    started_at: run.startedAt,
    closed_at: run.closedAt,
    closed_as: run.closedAs,
    event_count: run.eventCount,
    history: await compress(history),
    sha256: sha256(history),
  };
  return db.transaction(async (trx) => {
    const inserted = await trx('cart_histories').insert(row).onConflict('run_id').ignore().returning('run_id');
    if (inserted.length > 0) await chainArchive(trx, run.userId);
    return inserted.length > 0;
  });
}

/** Returns the ids of those runs that are in the archive. */
export async function findArchived(db: Knex, runIds: readonly string[]): Promise<Set<string>> {
  return new Set(await db('cart_histories').whereIn('run_id', runIds).pluck('run_id'));
}

/** Lists the archived runs of a cart, oldest first. */
export async function listArchived(db: Knex, userId: string): Promise<ArchivedRun[]> {
  const columns = ['run_id', 'workflow_id', 'previous_run_id', 'started_at', 'closed_at', 'closed_as', 'event_count'];
  const rows = await db('cart_histories')
    .select(columns)
    .where({ user_id: userId })
    .orderBy(['started_at', 'closed_at']);
  return rows.map((row) => ({
    userId,
    workflowId: row.workflow_id,
    runId: row.run_id,
    previousRunId: row.previous_run_id ?? undefined,
    startedAt: row.started_at.toISOString(),
    closedAt: row.closed_at.toISOString(),
    closedAs: row.closed_as,
    eventCount: row.event_count,
  }));
}

/**
 * Reads the history of an archived run, as `archive` received it. Returns undefined if the run is not in the archive.
 * @throws Error if its hash does not match its content.
 */
export async function readArchivedHistory(db: Knex, runId: string): Promise<Uint8Array | undefined> {
  const row = await db('cart_histories').where({ run_id: runId }).first('history', 'sha256');
  if (row === undefined) return undefined;
  const history = await decompress(row.history).catch(() => undefined);
  if (history === undefined || !sha256(history).equals(row.sha256)) {
    throw new Error(`The archived history of run ${runId} does not match its hash: cart_histories was changed.`);
  }
  return history;
}

/** Finds the user whose cart an archived run belongs to. */
export async function userOfArchived(db: Knex, runId: string): Promise<string | undefined> {
  return (await db('cart_histories').where({ run_id: runId }).first('user_id'))?.user_id;
}

/** Lists users with archived runs, in order of user id, after the given one. */
export async function listArchivedUsers(db: Knex, after: string, limit: number): Promise<string[]> {
  return db('cart_histories')
    .distinct('user_id')
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(limit)
    .pluck('user_id');
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
