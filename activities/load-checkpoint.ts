import type { Knex } from 'knex';
import type { Checkpoint } from '../src/domain/handle';
import { readCheckpoint } from '../src/postgres/log/checkpoint';

/** Where a cart's log stands in Postgres, for a chain of runs that starts afresh. A cart nobody used is empty at version 0. */
export const createLoadCheckpoint =
  (db: Knex) =>
  (userId: string): Promise<Checkpoint> =>
    readCheckpoint(db, userId);
