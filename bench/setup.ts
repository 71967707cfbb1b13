import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Knex } from 'knex';
import { createLocalToken, openLocalKeys } from '../src/access/local-keys';
import { createCatalogue } from '../src/postgres/catalogue';
import { connectDatabase } from '../src/postgres/database';
import { prepareDatabase } from '../src/roles/database';
import { rowTables } from './alternatives/rows';
import { simpleTables } from './alternatives/write-item';
import { type Child, startChild } from './children';
import type { CleanUp } from './clean-up';
import { type Contestant, type Design, openContestants } from './contestants';
import { type Http, openHttp } from './http';
import { products } from './lines';
import { openServers, type Servers } from './servers';

/** The kinds of child process; child.ts opens them. */
const kinds = ['cart', 'commands', 'queries', 'floor', 'tutorial', 'update', 'bare-reads'] as const;
type Kind = (typeof kinds)[number];
/** They poll or keep servers of their own, so they run only from their first command on. */
const laterKinds = ['emmett', 'restate', 'dbos', 'plain'] as const;

/** The servers that all designs share, and the processes of each design, all running. */
export interface Setup {
  readonly servers: Servers;
  readonly client: Client;
  readonly db: Knex;
  readonly children: Readonly<Record<Kind, Child>>;
  readonly http: Readonly<Record<'commands' | 'queries' | 'bare-reads', Http>>;
  readonly designs: Readonly<Record<Design, Contestant>>;
  /** Replaces the process of this kind by a new one, of another kind if that is named. */
  restart(kind: Kind, by?: Kind | 'many-carts'): Promise<void>;
  /** Starts both APIs once more, which want tokens. */
  openWithTokens(): Promise<ApisWithTokens>;
  /** Creates an empty database with the cart's tables. */
  createDatabase(): Promise<{ readonly db: Knex; drop(): Promise<void> }>;
}

/** Both APIs as customers use them. */
export interface ApisWithTokens {
  readonly commands: Http;
  readonly queries: Http;
  /** The header with a token of this customer. */
  headersOf(userId: string): Promise<Record<string, string>>;
}

/** Opens everything that the loads need. `cleanUp` stops the servers and processes; pools end with this process. */
export async function openSetup(cleanUp: CleanUp, options: { readonly isDurable: boolean }): Promise<Setup> {
  const servers = await openServers(cleanUp, options);
  const { databaseUrl, temporalAddress } = servers;
  await prepareDatabase(databaseUrl);
  const db = connect(databaseUrl);
  await db.raw(`${simpleTables}; ${rowTables}`);
  const catalogue = createCatalogue(db);
  for (const product of products) await catalogue.put(product);
  const start = (kind: Kind | 'many-carts' | `${'commands' | 'queries'}-with-tokens` | (typeof laterKinds)[number]) =>
    startChild(cleanUp, kind, { address: temporalAddress, databaseUrl, keysDir: servers.folder });
  const children = {} as Record<Kind, Child>;
  // One after the other: the simple ones bundle their workflow, which uses all of the processor.
  for (const kind of kinds) children[kind] = await start(kind);
  const http = {
    commands: openHttp(children.commands.port),
    queries: openHttp(children.queries.port),
    'bare-reads': openHttp(children['bare-reads'].port),
  };
  const openLater = (kind: (typeof laterKinds)[number]): Http => {
    let opened: Promise<Http> | undefined;
    return async (...request) => {
      opened ??= start(kind).then(({ port }) => openHttp(port));
      return (await opened)(...request);
    };
  };
  const later = Object.fromEntries(laterKinds.map((kind) => [kind, openLater(kind)]));
  const ofContestants = { commands: http.commands, ...(later as Record<(typeof laterKinds)[number], Http>) };
  return {
    servers,
    ...openContestants(temporalAddress, db, ofContestants, (commandId) => children.floor.untilHandled(commandId)),
    db,
    children,
    http,
    async restart(kind, by = kind) {
      await children[kind].stop();
      children[kind] = await start(by);
    },
    async openWithTokens() {
      const keys = await openLocalKeys(servers.folder);
      const [commands, queries] = [await start('commands-with-tokens'), await start('queries-with-tokens')];
      return {
        commands: openHttp(commands.port),
        queries: openHttp(queries.port),
        async headersOf(userId) {
          return { Authorization: `Bearer ${await createLocalToken(keys, { subject: userId, lifeSeconds: 3_600 })}` };
        },
      };
    },
    createDatabase: () => createDatabase(cleanUp, databaseUrl),
  };
}

const connect = (url: string): Knex => connectDatabase(url, { poolSize: 10, name: 'bench', queryTimeoutMs: 600_000 });

async function createDatabase(cleanUp: CleanUp, serverUrl: string) {
  const admin = connect(serverUrl);
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const db = connect(url);
  let dropped: Promise<unknown> | undefined;
  const drop = () => {
    dropped ??= admin.raw('drop database ?? with (force)', [name]);
    return dropped;
  };
  await cleanUp.start(() => admin.raw('create database ??', [name]), drop);
  await prepareDatabase(url);
  return {
    db,
    async drop() {
      await db.destroy();
      await drop();
      await admin.destroy();
    },
  };
}
