import type { Knex } from 'knex';
import type { Checkpoint } from '../src/domain/handle';
import { readCheckpoint } from '../src/postgres/log/checkpoint';

/** Reads a cart's checkpoint from Postgres, for the first run of a chain. An unused cart is empty, at version 0. */
export const createLoadCheckpoint =
  (db: Knex) =>
  (userId: string): Promise<Checkpoint> =>
    readCheckpoint(db, userId);
