import { Context } from '@temporalio/activity';
import type { LeftBehind, LeftBehindNow, LoadedCart } from '../src/contract/activities';
import { type DeliveryOptions, readLeftBehind } from '../src/delivery/left-behind';
import { readLast, readLastBatch, readRecordEnd } from '../src/postgres/log/checkpoint';
import { projectBatches } from '../src/postgres/projection/project';
import type { HistorySource } from '../src/temporal/histories/histories';
import { readShownAfter } from '../src/temporal/histories/read-decisions';

/**
 * Reads a cart's checkpoint from Postgres, for the first run of a chain, and what earlier runs left behind. Decisions
 * that Postgres has lost since they were shown, as after restoring an older backup, are projected first.
 */
export const createLoadCheckpoint =
  (source: HistorySource, options: DeliveryOptions) =>
  async (userId: string, now?: number): Promise<LoadedCart> => {
    await projectShown(source, userId);
    const leftBehind = await readLeftBehindNow(source, userId, options, now);
    return { ...(await readRecordEnd(source.db, userId)), leftBehind };
  };

/** Reads what earlier runs left behind, for a run that is asked to take it over. */
export const createReadLeftBehind =
  (source: HistorySource, options: DeliveryOptions) =>
  async (userId: string): Promise<LeftBehindNow> => ({
    ...(await readLeftBehindNow(source, userId, options)),
    ...(await readLastBatch(source.db, userId)),
  });

/** The time is that of Temporal's server, in which histories have the instants of signals. */
function readLeftBehindNow(
  source: HistorySource,
  userId: string,
  options: DeliveryOptions,
  now?: number,
): Promise<LeftBehind> {
  const { workflowExecution, currentAttemptScheduledTimestampMs } = Context.current().info;
  const at = new Date(now ?? currentAttemptScheduledTimestampMs);
  return readLeftBehind(source, userId, { ...options, runId: workflowExecution!.runId, now: at });
}

async function projectShown(source: HistorySource, userId: string): Promise<void> {
  const last = await readLast(source.db, userId);
  const decisions = await readShownAfter(source, userId, last);
  if (decisions.length === 0) return;
  // Where the record goes on meanwhile, nothing is written: the checkpoint is read after this.
  await source.db.transaction((trx) => projectBatches(trx, [{ userId, decisions, after: last ?? null }]));
}
