import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { Knex } from 'knex';
import type { Config } from '../config';
import { runningPostgresUrl } from '../embedded/postgres/server';
import { connectDatabase } from '../postgres/database';
import { hasSchema } from '../postgres/migrations/migrate';
import { openClient } from '../temporal/connection';
import type { HistorySource } from '../temporal/histories/histories';
import { type ProgressBar, startProgress } from './progress';

/** The connections and the output of a command. */
export interface OpsContext {
  readonly config: Config;
  /** A connection pool that allows statements of up to ten minutes. */
  readonly db: Knex;
  /** Connects at the first call. @throws Error that says what to do, if Temporal does not answer. */
  temporal(): Promise<Client>;
  /** Temporal and the archive, for reading histories. Throws as `temporal` does. */
  histories(): Promise<HistorySource>;
  /** Prints a part of the result to standard output. */
  print(text: string): void;
  /** Shows the progress of a command: here, if the output is a terminal, and on the page of the operators. */
  startProgress(what: string, total?: number): ProgressBar;
}

/**
 * Opens a context, runs a command's task and closes the context. The task returns the exit status: 0, or 1 if it
 * found a problem.
 */
export type RunTask = (task: (context: OpsContext) => Promise<number>) => Promise<void>;

/** Adds one command, or one group of commands, to the program. */
export type RegisterOp = (program: Command, run: RunTask) => void;

/** A context whose connections `close` closes. */
export interface OpenContext {
  readonly context: OpsContext;
  close(): Promise<void>;
}

const tenMinutesMs = 600_000;

/**
 * Connects to the configured Postgres and Temporal, or to those of a running `npm start`.
 * @throws Error that says what to do, if Postgres does not answer.
 */
export async function openContext(config: Config): Promise<OpenContext> {
  const db = await openDatabase(config);
  const temporal = lazyTemporal(config.temporal.isExternal ? config.temporal : embeddedTemporal(config));
  const context: OpsContext = {
    config,
    db,
    temporal: temporal.open,
    histories: async () => ({ client: await temporal.open(), db }),
    print: (text) => console.log(text),
    startProgress: (what, total) => startProgress(db, what, total),
  };
  const close = async () => {
    await Promise.all([temporal.close(), db.destroy()]);
  };
  return { context, close };
}

async function openDatabase({ databaseUrl, embedded }: Config): Promise<Knex> {
  const folder = path.join(embedded.dataDir, 'postgres');
  const url = databaseUrl ?? (await runningPostgresUrl(folder, embedded.postgresPort));
  if (url === undefined) {
    throw new Error(
      `No Postgres: DATABASE_URL is not set, and no Postgres uses ${embedded.dataDir} and port ` +
        `${embedded.postgresPort}. Start it with \`npm start\`, or set DATABASE_URL.`,
    );
  }
  const db = connectDatabase(url, { poolSize: 10, name: 'cart-ops', queryTimeoutMs: tenMinutesMs });
  try {
    await assertSchema(db);
    return db;
  } catch (error) {
    await db.destroy();
    const { host, pathname } = new URL(url);
    throw new Error(`The Postgres at ${host}${pathname} cannot be used. Is DATABASE_URL correct?`, { cause: error });
  }
}

/** Commands do not migrate the schema, because they can be newer than the running roles. */
async function assertSchema(db: Knex): Promise<void> {
  if (!(await hasSchema(db))) {
    throw new Error('It does not have the tables of the carts. Start any role once: it creates them.');
  }
}

const embeddedTemporal = ({ temporal, embedded }: Config): Config['temporal'] => ({
  ...temporal,
  connection: { address: `127.0.0.1:${embedded.temporalPort}` },
});

function lazyTemporal(options: Config['temporal']) {
  let opened: ReturnType<typeof openClient> | undefined;
  return {
    async open(): Promise<Client> {
      opened ??= openClient(options);
      try {
        await opened.check();
      } catch (error) {
        const where = `${options.connection.address ?? 'localhost:7233'}, namespace ${options.namespace}`;
        throw new Error(
          `Temporal does not answer at ${where}. ` +
            'Start it with `npm start`, or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.',
          { cause: error },
        );
      }
      return opened.client;
    },
    async close() {
      await opened?.close();
    },
  };
}
