import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import knex, { type Knex } from 'knex';
import { createCatalogue } from '../src/postgres/catalogue';
import { connectDatabase } from '../src/postgres/database';
import { migrateDatabase } from '../src/roles/database';
import { simpleTables } from './alternatives/write-item';
import { type Child, startChild } from './children';
import { type Contestant, type Design, openContestants, products } from './contestants';
import { type Http, openHttp } from './http';
import { openServers, type Servers } from './servers';

/** The processes there are, by their kind. */
export type Kind = 'cart' | 'commands' | 'queries' | 'floor' | 'tutorial' | 'update' | 'emmett' | 'bare-reads';

const kinds: readonly Kind[] = ['cart', 'commands', 'queries', 'floor', 'tutorial', 'update', 'emmett', 'bare-reads'];

/** What everybody is measured on: the same servers, and each design's processes, all running. */
export interface Ground {
  readonly servers: Servers;
  readonly client: Client;
  readonly db: Knex;
  readonly children: Readonly<Record<Kind, Child>>;
  readonly http: Readonly<Record<'commands' | 'queries' | 'emmett' | 'bare-reads', Http>>;
  readonly designs: Readonly<Record<Design, Contestant>>;
  /** Has another process take the place of the one of this kind. */
  restart(kind: Kind): Promise<void>;
  /** A new, empty database with the cart's tables. */
  createDatabase(): Promise<{ readonly db: Knex; drop(): Promise<void> }>;
  close(): Promise<void>;
}

export async function openGround(options: { readonly isDurable: boolean }): Promise<Ground> {
  const servers = await openServers(options);
  const { databaseUrl, temporalAddress } = servers;
  await migrateDatabase(databaseUrl);
  const db = connectDatabase(databaseUrl, { poolSize: 10, name: 'bench', queryTimeoutMs: 600_000 });
  await db.raw(simpleTables);
  const catalogue = createCatalogue(db);
  for (const product of products) await catalogue.put(product);
  const start = (kind: Kind) => startChild(kind, { address: temporalAddress, databaseUrl });
  const children = {} as Record<Kind, Child>;
  // One after the other: each bundles its workflow with all the processor there is.
  for (const kind of kinds) children[kind] = await start(kind);
  const http = {
    commands: openHttp(children.commands.port),
    queries: openHttp(children.queries.port),
    emmett: openHttp(children.emmett.port),
    'bare-reads': openHttp(children['bare-reads'].port),
  };
  const contestants = await openContestants(temporalAddress, db, http);
  return {
    servers,
    client: contestants.client,
    db,
    children,
    http,
    designs: contestants.designs,
    async restart(kind) {
      await children[kind].stop();
      children[kind] = await start(kind);
    },
    createDatabase: () => createDatabase(databaseUrl),
    async close() {
      for (const child of Object.values(children)) await child.stop();
      await contestants.close();
      await db.destroy();
      await servers.close();
    },
  };
}

async function createDatabase(url: string) {
  const admin = knex({ client: 'pg', connection: url });
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  await admin.raw('create database ??', [name]);
  const own = new URL(url);
  own.pathname = `/${name}`;
  await migrateDatabase(own.href);
  const db = connectDatabase(own.href, { poolSize: 10, name: 'bench', queryTimeoutMs: 600_000 });
  return {
    db,
    async drop() {
      await db.destroy();
      await admin.raw('drop database ??', [name]);
      await admin.destroy();
    },
  };
}
