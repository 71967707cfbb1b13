import { randomInt } from 'node:crypto';
import { createDatabase, type TestDatabase } from './database';
import { type Logs, projectRandomCarts } from './random-carts';
import { serveQueries } from './serve-queries';

/** The reports over HTTP, on a database with random carts. */
export interface ReportApi {
  readonly database: TestDatabase;
  readonly logs: Logs;
  get(path: string, accept?: string): Promise<{ status: number; headers: Headers; text: string }>;
  /** @throws Error with the seed where the answer is not 200. */
  // biome-ignore lint/suspicious/noExplicitAny: the reports have many shapes
  getJson(path: string): Promise<any>;
  close(): Promise<void>;
}

export const seed = Number(process.env.SEED ?? randomInt(2 ** 31));

export async function openReportApi(): Promise<ReportApi> {
  const database = await createDatabase();
  const logs = await projectRandomCarts(database.db, 120, seed);
  const server = await serveQueries(database.db);
  const get = async (path: string, accept?: string) => {
    const headers = accept === undefined ? {} : { Accept: accept };
    const response = await fetch(`${server.url}/reports/${path}`, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return {
    database,
    logs,
    get,
    async getJson(path) {
      const { status, text } = await get(path);
      if (status !== 200) throw new Error(`${status} ${text} (seed ${seed})`);
      return JSON.parse(text);
    },
    async close() {
      await server.close();
      await database.drop();
    },
  };
}

/** The query string of these parameters. */
export const query = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
