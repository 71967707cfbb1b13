import type { Knex } from 'knex';
import { evolve } from '../../domain/evolve';
import { type Checkpoint, rememberedCommands } from '../../domain/handle';
import { emptyCart } from '../../domain/state';
import { createLookUp } from '../look-up';
import { eventColumns, toEvent } from './rows';

/** Reads a cart's checkpoint: its events folded, and its newest command ids. It reads the log, not the read model. */
export async function readCheckpoint(db: Knex, userId: string): Promise<Checkpoint> {
  return db.transaction(
    async (trx) => {
      const events = await trx('cart_events').select(eventColumns).where({ user_id: userId }).orderBy('version');
      const commands = await trx('cart_commands')
        .select('sequence', 'command_id')
        .where({ user_id: userId })
        .orderBy('sequence', 'desc')
        .limit(rememberedCommands);
      return {
        cart: events.map(toEvent).reduce(evolve, emptyCart),
        sequence: commands[0]?.sequence ?? 0,
        recentCommandIds: commands.map((command) => command.command_id).reverse(),
      };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

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
