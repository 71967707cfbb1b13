import type { Knex } from 'knex';
import type { RecordEnd } from '../../contract/activities';
import { lastAtOnce, mostAtOnce } from '../../contract/at-once';
import { evolve } from '../../domain/evolve';
import type { Checkpoint, DecisionRef } from '../../domain/handle';
import { rememberedCommands } from '../../domain/recent-commands';
import { emptyCart } from '../../domain/state';
import { createLookUp } from '../look-up';
import { readLastDecisions } from './read-logs';
import { type RecordedRef, recordedRefColumns, toRecordedRef, toRemembered } from './recorded';
import { eventColumns, toEvent } from './rows';

/** Reads where a cart's record ends, from its log alone: the read model may be damaged. */
export async function readRecordEnd(db: Knex, userId: string): Promise<RecordEnd> {
  return db.transaction((trx) => readRecordEndIn(trx, userId), { isolationLevel: 'repeatable read', readOnly: true });
}

/** As `readRecordEnd`, in a transaction in which the log does not change. */
export async function readRecordEndIn(trx: Knex.Transaction, userId: string): Promise<RecordEnd> {
  const checkpoint = await readCheckpoint(trx, userId);
  return checkpoint.sequence === 0 ? { checkpoint } : { checkpoint, ...(await readLastBatch(trx, userId)) };
}

/** Reads the last decisions on record, as many as a batch that is projected at once can have. */
export async function readLastBatch(db: Knex, userId: string): Promise<Pick<RecordEnd, 'lastBatch'>> {
  const decisions = await readLastDecisions(db, userId, mostAtOnce + 1);
  return decisions.length === 0 ? {} : { lastBatch: lastAtOnce(decisions) };
}

/** The events of a cart folded, and its newest commands. */
async function readCheckpoint(trx: Knex.Transaction, userId: string): Promise<Checkpoint> {
  const events = await trx('cart_events').select(eventColumns).where({ user_id: userId }).orderBy('version');
  const { rows } = await trx.raw(newestCommands, [userId, rememberedCommands]).options({ name: 'newest-commands' });
  const refs = rows.map(toRecordedRef).reverse();
  const last = refs.at(-1);
  return {
    cart: events.map(toEvent).reduce(evolve, emptyCart),
    sequence: last?.sequence ?? 0,
    ...toRemembered(refs),
    ...(last === undefined ? {} : { last: toRef(last) }),
  };
}

/** Reads the last decision on record; undefined where there is none. */
export async function readLast(db: Knex, userId: string): Promise<DecisionRef | undefined> {
  const { rows } = await db.raw(newestCommands, [userId, 1]).options({ name: 'newest-commands' });
  return rows.map(toRecordedRef).map(toRef)[0];
}

const toRef = ({ sequence, commandId, runId, decidedAt }: RecordedRef): DecisionRef => ({
  sequence,
  commandId,
  runId,
  decidedAt,
});

const newestCommands = `
  select ${recordedRefColumns} from cart_commands c where user_id = ? order by sequence desc limit ?`;

/** Creates a function that checks whether a user has no log in Postgres. */
export function createNewUserCheck(db: Knex): (userId: string) => Promise<boolean> {
  const lookUp = createLookUp(async (userIds) => {
    const { rows } = await db.raw(usersWithLog, [[...userIds]]).options({ name: 'users-with-log' });
    return new Map<string, boolean>(rows.map((row: { user_id: string }) => [row.user_id, true]));
  });
  return async (userId) => (await lookUp(userId)) === undefined;
}

const usersWithLog = `
  select user_id from unnest(?::text[]) as requested (user_id)
  where exists (select from cart_commands where cart_commands.user_id = requested.user_id)`;
