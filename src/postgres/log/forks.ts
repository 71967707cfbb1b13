import type { Knex } from 'knex';

/** A cart whose workflow has decided differently than its log in Postgres says. */
export interface Fork {
  readonly userId: string;
  readonly detectedAt: string;
  readonly message: string;
}

/**
 * Records that a cart is parked. Temporal retries its projection, and each failure is recorded.
 * @param fork.isLasting whether it stays parked until a person repairs it, also while nobody uses the cart.
 */
export async function recordFork(
  db: Knex,
  fork: { readonly userId: string; readonly runId: string; readonly message: string; readonly isLasting: boolean },
): Promise<void> {
  const row = { run_id: fork.runId, message: fork.message, is_lasting: fork.isLasting };
  await db('cart_forks')
    .insert({ user_id: fork.userId, ...row })
    .onConflict('user_id')
    .merge({ ...row, seen_at: db.fn.now() });
}

/** Lists the carts that are parked, oldest first: lastingly, or because a projection failed in the last two minutes. */
export async function currentForks(db: Knex): Promise<Fork[]> {
  const rows = await db('cart_forks')
    .whereRaw("is_lasting or seen_at > now() - interval '2 minutes'")
    .orderBy('detected_at')
    .limit(100);
  return rows.map((row) => ({
    userId: row.user_id,
    detectedAt: row.detected_at.toISOString(),
    message: row.message,
  }));
}
