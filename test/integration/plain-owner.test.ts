import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Knex } from 'knex';
import { freePort } from '../../src/embedded/ports';
import { startPostgres } from '../../src/embedded/postgres/server';
import { connectDatabase } from '../../src/postgres/database';
import { prepareSchema } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { rebuildAll } from '../../src/recovery/rebuild';
import { add, decideAll } from '../support/cart-story';
import { asMemberOf, createLogins } from '../support/database';

/** A Postgres of its own, because the groups belong to the whole cluster. */
let stop: () => Promise<void>;
let admin: Knex;
let url: string;
let owner: Knex;
beforeAll(async () => {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-plain-owner-')));
  const postgres = await startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: await freePort(),
    settings: { fsync: 'off' },
    log() {},
  });
  stop = async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
  admin = connectDatabase(postgres.url, { poolSize: 1, name: 'admin' });
  await admin.raw("create role app login password 'app'");
  await admin.raw('create database carts owner app');
  url = Object.assign(new URL(postgres.url), { pathname: '/carts', username: 'app', password: 'app' }).href;
  owner = connectDatabase(url, { poolSize: 4, name: 'owner' });
});
afterAll(async () => {
  await owner?.destroy();
  await admin?.destroy();
  await stop?.();
});

const decisions = decideAll([add('pen'), add('ink')]).decisions;

describe('an owner of the tables who may not create roles', () => {
  it('migrates, projects and rebuilds without them', async () => {
    await prepareSchema(owner);
    const groups = await admin('pg_roles').where('rolname', 'like', 'cart_%').pluck('rolname');
    expect(groups).toEqual([]);
    await owner.transaction((trx) => project(trx, 'alice', decisions));
    expect((await rebuildAll(owner, () => {})).differed).toEqual([]);
    expect(await owner('pg_tables').distinct('tableowner').where({ schemaname: 'public' }).pluck('tableowner')).toEqual(
      ['app'],
    );
  });

  it('grants the roles what they need once an administrator has made them', async () => {
    await createLogins(admin);
    await owner.raw('select grant_cart_roles()');
    const writer = connectDatabase(asMemberOf('cart_writer', url), { poolSize: 1, name: 'writer' });
    const reader = connectDatabase(asMemberOf('cart_reader', url), { poolSize: 1, name: 'reader' });
    try {
      await prepareSchema(writer);
      await writer.transaction((trx) => project(trx, 'bob', decisions));
      expect(await reader('cart_items').where({ user_id: 'bob' }).pluck('product_id')).toEqual(['pen', 'ink']);
    } finally {
      await writer.destroy();
      await reader.destroy();
    }
  });

  it('gives the tables to cart_owner once it is a member', async () => {
    await admin.raw('grant cart_owner to app');
    await owner.raw('select grant_cart_roles()');
    const member = connectDatabase(asMemberOf('cart_owner', url), { poolSize: 4, name: 'member' });
    try {
      await prepareSchema(member);
      expect((await rebuildAll(member, () => {})).differed).toEqual([]);
      expect((await rebuildAll(owner, () => {})).differed).toEqual([]);
    } finally {
      await member.destroy();
    }
  });
});
