import type { Knex } from 'knex';

/** A cart whose workflow has decided differently than its log in Postgres says. */
export interface Fork {
  readonly userId: string;
  readonly detectedAt: string;
  readonly message: string;
}

/** Records that a cart's projection found a fork. Temporal retries the projection, and each failure is recorded. */
export async function recordFork(db: Knex, userId: string, runId: string, message: string): Promise<void> {
  await db('cart_forks')
    .insert({ user_id: userId, run_id: runId, message })
    .onConflict('user_id')
    .merge({ run_id: runId, message, seen_at: db.fn.now() });
}

/** Lists the current forks, oldest first: those whose projection failed in the last two minutes. */
export async function currentForks(db: Knex): Promise<Fork[]> {
  const rows = await db('cart_forks')
    .whereRaw("seen_at > now() - interval '2 minutes'")
    .orderBy('detected_at')
    .limit(100);
  return rows.map((row) => ({
    userId: row.user_id,
    detectedAt: row.detected_at.toISOString(),
    message: row.message,
  }));
}
