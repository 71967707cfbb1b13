import type { Knex } from 'knex';
import { createProductReader, type ReadProduct } from '../postgres/catalogue';
import type { Announcements } from '../postgres/projection/announcements';
import { createCartReader, type ReadCart } from './read-cart';

/** Returns the link to the history of a run in the Web UI. */
export type RunLink = (userId: string, runId: string) => string;

/** What the query side needs: only Postgres. */
export interface QueryPorts {
  readonly db: Knex;
  readonly readCart: ReadCart;
  readonly readProduct: ReadProduct;
  readonly announcements: Announcements;
  /** Adds to each timeline entry a link to the run that decided it. */
  readonly runLink: RunLink | undefined;
}

export const createQueryPorts = (db: Knex, announcements: Announcements, runLink?: RunLink): QueryPorts => ({
  db,
  readCart: createCartReader(db),
  readProduct: createProductReader(db),
  announcements,
  runLink,
});
