import knex, { type Knex } from 'knex';
import pg from 'pg';

const int8 = 20;
// Counts and minor units stay below 2^53 (src/domain/limits.ts), so they are read as numbers.
pg.types.setTypeParser(int8, Number);

/**
 * A pool of connections to Postgres. Nothing waits longer than a few seconds: a query that cannot be answered fails, so that
 * its caller can say so.
 * @param options.readOnly refuses every write on these connections.
 */
export function connectDatabase(url: string, options: { poolSize: number; readOnly?: boolean; name: string }): Knex {
  const settings = ['-c statement_timeout=8000', '-c idle_in_transaction_session_timeout=8000'];
  if (options.readOnly) settings.push('-c default_transaction_read_only=on');
  return knex({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.name,
      options: settings.join(' '),
      connectionTimeoutMillis: 2_000,
      query_timeout: 9_000,
      keepAlive: true,
    },
    pool: { min: 0, max: options.poolSize },
    acquireConnectionTimeout: 3_000,
  });
}

/** Whether this error says that Postgres cannot be reached or does not take queries, rather than that a query is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return (
    name === 'KnexTimeoutError' ||
    /^(ECONN|EPIPE|ETIMEDOUT|08|57P0|53)/.test(String(code ?? '')) ||
    /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/.test(String(message ?? ''))
  );
}
