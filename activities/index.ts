import type { Knex } from 'knex';
import { createLoadCheckpoint } from './load-checkpoint';
import { createProjectCart } from './project-cart';

/** All activities of the cart worker over what they need. */
export const createActivities = (db: Knex) => ({
  loadCheckpoint: createLoadCheckpoint(db),
  projectCart: createProjectCart(db),
});

export type Activities = ReturnType<typeof createActivities>;
