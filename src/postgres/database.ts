import type { Socket } from 'node:net';
import knex, { type Knex } from 'knex';
import pg from 'pg';

const int8 = 20;
/** Counts and minor units stay below 2^53 (src/domain/limits.ts), so they are read as numbers. */
const types = {
  getTypeParser: (oid: number, format?: string) =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

/**
 * A pool of connections to Postgres. Nothing waits longer than a few seconds: a query that cannot be answered fails, so that
 * its caller can say so.
 * @param options.readOnly refuses every write on these connections.
 * @param options.byKey for queries that look few rows up by their keys. Postgres takes a list in JSON for 100 rows and, while a
 * table is small or new to it, would rather read the whole table than look so many up.
 * @param options.patienceMs how long a query may take; 3,500 unless told, so that a request is answered within 5 s.
 */
export function connectDatabase(
  url: string,
  options: { poolSize: number; name: string; readOnly?: boolean; byKey?: boolean; patienceMs?: number },
): Knex {
  const { patienceMs = 3_500 } = options;
  const settings = [`-c statement_timeout=${patienceMs}`, `-c idle_in_transaction_session_timeout=${patienceMs}`];
  if (options.readOnly) settings.push('-c default_transaction_read_only=on');
  if (options.byKey) settings.push('-c enable_seqscan=off', '-c enable_hashjoin=off', '-c enable_mergejoin=off');
  return knex({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.name,
      options: settings.join(' '),
      connectionTimeoutMillis: Math.min(10_000, patienceMs),
      keepAlive: true,
      types,
    },
    pool: {
      min: 0,
      max: options.poolSize,
      afterCreate: (connection: pg.Client, done: (error: undefined, connection: pg.Client) => void) => {
        destroyWhenSilent(connection, patienceMs + 500);
        done(undefined, connection);
      },
    },
    acquireConnectionTimeout: Math.min(30_000, patienceMs),
    // Whoever asked is told by the rejected query; knex would print the same to the console.
    log: { warn() {}, error() {} },
  });
}

/**
 * Ends a connection on which a query gets no answer at all. A server that can be reached answers within its statement timeout;
 * without this, a connection whose other end vanished would stay in the pool and fail every query it is given.
 */
function destroyWhenSilent(client: pg.Client, silenceMs: number): void {
  const { connection, readyForQuery } = client as unknown as { connection: { stream: Socket }; readyForQuery: boolean };
  if (typeof readyForQuery !== 'boolean') throw new Error('pg no longer tells whether a connection is in use.');
  connection.stream.setTimeout(silenceMs);
  connection.stream.on('timeout', () => {
    const isAsked = !(client as unknown as { readyForQuery: boolean }).readyForQuery;
    if (isAsked) connection.stream.destroy(new Error('Query read timeout'));
  });
}

/** @throws Error where Postgres does not answer a query. */
export async function checkDatabase(db: Knex): Promise<void> {
  await db.raw('select 1');
}

/** Whether this error says that Postgres cannot be reached or does not take queries, rather than that a query is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return (
    name === 'KnexTimeoutError' ||
    /^(ECONN|EPIPE|ETIMEDOUT|08|57P0|53)/.test(String(code ?? '')) ||
    /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout/.test(
      String(message ?? ''),
    )
  );
}
