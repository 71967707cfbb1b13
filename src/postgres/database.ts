import type { Socket } from 'node:net';
import knex, { type Knex } from 'knex';
import pg from 'pg';

const int8 = 20;
/** Reads bigints as numbers, because counts and minor units are below 2^53 (src/domain/limits.ts). */
const types = {
  getTypeParser: (oid: number, format?: string) =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

/**
 * Creates a pool of connections to Postgres. A query that gets no answer fails after a few seconds, so that its caller
 * can report the failure.
 * @param options.readOnly makes Postgres reject every write on these connections.
 * @param options.prefersIndexes is for queries that look up a few rows by their keys. Postgres estimates 100 rows for a
 * list in JSON. If a table is small or has no statistics yet, Postgres would then read the whole table instead of its
 * index.
 * @param options.queryTimeoutMs how long a query may take. With the default of 3,500, a request is answered within 5 s.
 */
export function connectDatabase(
  url: string,
  options: { poolSize: number; name: string; readOnly?: boolean; prefersIndexes?: boolean; queryTimeoutMs?: number },
): Knex {
  const { queryTimeoutMs = 3_500 } = options;
  const settings = [
    `-c statement_timeout=${queryTimeoutMs}`,
    `-c idle_in_transaction_session_timeout=${queryTimeoutMs}`,
  ];
  if (options.readOnly) settings.push('-c default_transaction_read_only=on');
  if (options.prefersIndexes)
    settings.push('-c enable_seqscan=off', '-c enable_hashjoin=off', '-c enable_mergejoin=off');
  return knex({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.name,
      options: settings.join(' '),
      connectionTimeoutMillis: Math.min(10_000, queryTimeoutMs),
      keepAlive: true,
      types,
    },
    pool: {
      min: 0,
      max: options.poolSize,
      afterCreate: (connection: pg.Client, done: (error: undefined, connection: pg.Client) => void) => {
        closeWhenUnanswered(connection, queryTimeoutMs + 500);
        done(undefined, connection);
      },
    },
    acquireConnectionTimeout: Math.min(30_000, queryTimeoutMs),
    // The rejected query reports the error to its caller. Knex would also print it to the console.
    log: { warn() {}, error() {} },
  });
}

/**
 * Closes a connection if a query on it gets no answer. A reachable server answers within its statement timeout. A
 * connection to an unreachable server would stay in the pool, and every query on it would fail.
 */
function closeWhenUnanswered(client: pg.Client, timeoutMs: number): void {
  const { connection, readyForQuery } = client as unknown as { connection: { stream: Socket }; readyForQuery: boolean };
  if (typeof readyForQuery !== 'boolean')
    throw new Error("pg's clients have no property readyForQuery, which says whether a query is running.");
  connection.stream.setTimeout(timeoutMs);
  connection.stream.on('timeout', () => {
    const isQueryRunning = !(client as unknown as { readyForQuery: boolean }).readyForQuery;
    if (isQueryRunning) connection.stream.destroy(new Error('Query read timeout'));
  });
}

/** @throws Error if Postgres does not answer a query. */
export async function checkDatabase(db: Knex): Promise<void> {
  await db.raw('select 1');
}

/** Whether this error says that a lock was waited for longer than `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean => (error as { code?: unknown }).code === '55P03';

/**
 * Whether the cause of this error is not the query itself: Postgres is unreachable, accepts no queries, or has ended
 * this one for the sake of others (a deadlock; on a replica, a conflict).
 */
export function isDatabaseAway(error: unknown): boolean {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return (
    name === 'KnexTimeoutError' ||
    /^(ECONN|EPIPE|ETIMEDOUT|08|57P0|53|40001|40P01)/.test(String(code ?? '')) ||
    /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout/.test(
      String(message ?? ''),
    )
  );
}
