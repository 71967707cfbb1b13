import type { Knex } from 'knex';
import { createRecentProducts } from '../commands/facts';
import { commandRoutes } from '../commands/routes';
import { createCommandSender } from '../commands/send-command';
import { withPorts } from '../http/route';
import { createCatalogue } from '../postgres/catalogue';
import { connectDatabase } from '../postgres/database';
import { createNewUserCheck } from '../postgres/log/checkpoint';
import { findBatchOutcomes, findOutcome } from '../postgres/log/outcomes';
import { listenForProjections } from '../postgres/projection/announcements';
import { awaitProjection } from '../postgres/projection/await-projection';
import { readCartAt } from '../postgres/read-model/cart-at';
import { createCartReader } from '../queries/read-cart';
import { openClient } from '../temporal/connection';
import type { Role, RoleOptions } from './role';
import { openSharedLimits } from './shared-limits';

/** What only the command side needs. */
export interface CommandApiOptions {
  /** Whether requests are counted in Postgres, together with other command APIs. */
  readonly sharesLimits?: boolean | undefined;
}

/**
 * The command side: HTTP → command → signal. It needs Temporal. Without Postgres it still accepts commands, but it
 * knows only products that it has read before, and a client that waits for an outcome gets none.
 */
export async function openCommandApi({
  temporal,
  databaseUrl,
  logger,
  stopping,
  sharesLimits = false,
}: RoleOptions & CommandApiOptions): Promise<Role> {
  const limits = sharesLimits ? openSharedLimits(databaseUrl, logger) : undefined;
  const db = connectDatabase(databaseUrl, { poolSize: 10, name: 'cart-commands', queryTimeoutMs: 1_500 });
  const announcements = listenForProjections(databaseUrl, logger, stopping);
  const { client, check, close } = openClient(temporal);
  const catalogue = createCatalogue(db);
  const ports = {
    sendCommand: createCommandSender(client, temporal.taskQueue, createNewUserCheck(db)),
    catalogue,
    recentProducts: createRecentProducts(),
    findOutcome: (userId: string, commandId: string) => findOutcome(db, userId, commandId),
    awaitOutcome: (userId: string, commandId: string, seconds: number, send?: () => Promise<void>) =>
      awaitProjection(announcements, userId, seconds, () => findOutcome(db, userId, commandId), send),
    findBatch: (userId: string, batchId: string) => findBatchOutcomes(db, userId, batchId),
    awaitBatch: (userId: string, batchId: string, seconds: number, send: () => Promise<void>) =>
      awaitProjection(announcements, userId, seconds, () => findWholeBatch(db, userId, batchId), send),
    readCart: createCartReader(db),
    readCartAt: (userId: string, version: number) => readCartAt(db, userId, version),
    logger,
  };
  return {
    routes: withPorts(commandRoutes, ports),
    checks: { temporal: check },
    makeLimiter: limits?.makeLimiter,
    async close() {
      await Promise.all([announcements.close(), close(), db.destroy(), limits?.close()]);
    },
  };
}

/** A batch is projected as a whole, so there is all of it or nothing. */
async function findWholeBatch(db: Knex, userId: string, batchId: string) {
  const outcomes = await findBatchOutcomes(db, userId, batchId);
  return outcomes.length > 0 ? outcomes : undefined;
}
