import type { Knex } from 'knex';

/** A cart whose workflow goes on otherwise than its log in Postgres says. */
export interface Fork {
  readonly userId: string;
  readonly detectedAt: string;
  readonly message: string;
}

/** Notes that a cart's projection met a fork. It is tried again at least every 30 seconds, and noted each time. */
export async function recordFork(db: Knex, userId: string, runId: string, message: string): Promise<void> {
  await db('cart_forks')
    .insert({ user_id: userId, run_id: runId, message })
    .onConflict('user_id')
    .merge({ run_id: runId, message, seen_at: db.fn.now() });
}

/** The forks at present: those whose projection was tried in vain within the last two minutes, oldest first. */
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
