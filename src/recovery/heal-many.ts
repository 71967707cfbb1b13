import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { isDatabaseAway } from '../postgres/database';
import { type CartLog, compareLogs } from '../postgres/log/compare-log';
import { writeNewCarts } from '../postgres/projection/write-new-carts';
import { healCart } from './heal';

/**
 * Heals many carts. Most carts are complete or absent in Postgres. Those are healed together, with few statements. The
 * others are healed one by one.
 * @returns for each cart, in the same order, how many decisions were missing, or the error because of which it failed.
 */
export async function healMany(db: Knex, logs: readonly CartLog[]): Promise<(number | Error)[]> {
  // If one cart makes this fail, healing them one by one finds out which cart it is.
  const missing = await healTogether(db, logs).catch(() => new Map<string, number>());
  const outcomes: (number | Error)[] = [];
  for (const log of logs) {
    outcomes.push(missing.get(log.userId) ?? (await healWithRetries(db, log).catch((error: Error) => error)));
  }
  return outcomes;
}

/** @returns by user, how many decisions were missing, for the carts that could be healed together. */
async function healTogether(db: Knex, logs: readonly CartLog[]): Promise<Map<string, number>> {
  const gapFree = logs.filter(isGapFree);
  const comparisons = await compareLogs(db, gapFree);
  const missing = new Map<string, number>();
  for (const [index, { userId }] of gapFree.entries()) if (comparisons[index] === 'equal') missing.set(userId, 0);
  const absent = gapFree.filter((log, index) => comparisons[index] === 'absent' && startsAtFirst(log));
  const written = absent.length > 0 ? await writeNewCarts(db, absent) : new Set<string>();
  for (const { userId, decisions } of absent) if (written.has(userId)) missing.set(userId, decisions.length);
  return missing;
}

const isGapFree = ({ decisions }: CartLog): boolean =>
  decisions.length > 0 &&
  areConsecutive(decisions.map(({ sequence }) => sequence)) &&
  areConsecutive(decisions.flatMap(({ events }) => events.map(({ version }) => version)));

const areConsecutive = (numbers: readonly number[]): boolean => numbers.every((n, index) => n === numbers[0]! + index);

const startsAtFirst = ({ decisions }: CartLog): boolean =>
  decisions[0]!.sequence === 1 && (decisions.find(({ events }) => events.length > 0)?.events[0]?.version ?? 1) === 1;

/** Heals a cart, and retries if Postgres is unreachable. */
async function healWithRetries(db: Knex, { userId, decisions }: CartLog): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await healCart(db, userId, decisions);
    } catch (error) {
      if (!isDatabaseAway(error) || attempt === 5) throw error;
      await delay(attempt * 1_000);
    }
  }
}
