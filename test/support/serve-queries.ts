import type { Knex } from 'knex';
import { withPorts } from '../../src/http/route';
import { createQueryPorts, type RunLink } from '../../src/queries/ports';
import { queryRoutes } from '../../src/queries/routes';
import { serve, type TestServer } from './serve';

const announcements = { onProjection: () => () => {}, isListening: false, isStopping: false, close: async () => {} };

/** Serves the query side on this database, without announcements. */
export const serveQueries = (db: Knex, runLink?: RunLink): Promise<TestServer> =>
  serve(withPorts(queryRoutes, createQueryPorts(db, announcements, runLink)));
