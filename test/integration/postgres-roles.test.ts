import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { migrate, prepareSchema } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { readModelTables } from '../../src/postgres/read-model/tables';
import { rebuildAll } from '../../src/recovery/rebuild';
import { add, decideAll } from '../support/cart-story';
import { asMemberOf, createDatabase, type Group, groups, type TestDatabase } from '../support/database';
import { createEarlier } from '../support/earlier-database';

async function as<T>(group: Group, { url }: TestDatabase, task: (db: Knex) => Promise<T>): Promise<T> {
  const db = connectDatabase(asMemberOf(group, url), { poolSize: 2, name: group });
  try {
    return await task(db);
  } finally {
    await db.destroy();
  }
}

const withDatabase = async (database: TestDatabase, task: (database: TestDatabase) => Promise<void>) => {
  try {
    await task(database);
  } finally {
    await database.drop();
  }
};

const aCart = (db: Knex) =>
  db.transaction((trx) => project(trx, 'alice', decideAll([add('pen'), add('ink'), add('pen')]).decisions));

describe('what the groups may do', () => {
  /** Of each table what writer, sender and reader may do; columns are named where they may change only these. */
  const expected: Record<string, Partial<Record<Group, string>>> = {
    carts: { cart_writer: 'SELECT INSERT UPDATE DELETE', cart_sender: 'SELECT', cart_reader: 'SELECT' },
    cart_items: { cart_writer: 'SELECT INSERT UPDATE DELETE', cart_sender: 'SELECT', cart_reader: 'SELECT' },
    cart_item_history: { cart_writer: 'SELECT INSERT UPDATE DELETE', cart_sender: 'SELECT', cart_reader: 'SELECT' },
    cart_events: { cart_writer: 'SELECT INSERT', cart_sender: 'SELECT', cart_reader: 'SELECT' },
    cart_commands: {
      cart_writer: 'SELECT INSERT UPDATE(hash,hash_format,previous_hash)',
      cart_sender: 'SELECT',
      cart_reader: 'SELECT',
    },
    cart_histories: { cart_writer: 'SELECT INSERT UPDATE(archive_sequence,hash,hash_format,previous_hash)' },
    cart_users: { cart_reader: 'SELECT', cart_writer: 'SELECT INSERT UPDATE(salt)' },
    processes: { cart_reader: 'SELECT', cart_writer: 'SELECT INSERT UPDATE DELETE' },
    cart_forks: { cart_writer: 'SELECT INSERT UPDATE DELETE', cart_reader: 'SELECT' },
    cart_repairs: { cart_writer: 'SELECT' },
    settled_runs: { cart_writer: 'SELECT INSERT' },
    products: { cart_sender: 'SELECT INSERT UPDATE', cart_reader: 'SELECT' },
    rate_limits: { cart_sender: 'SELECT INSERT UPDATE DELETE' },
    migrations: { cart_writer: 'SELECT', cart_sender: 'SELECT', cart_reader: 'SELECT' },
    migrations_lock: {},
  };

  /** What `has_table_privilege` and `has_column_privilege` say, in the form of `expected`. */
  async function readPrivileges(db: Knex, group: Group): Promise<Record<string, string>> {
    const { rows } = await db.raw(
      `select relname as table, (
         select string_agg(privilege || coalesce('(' || columns || ')', ''), ' ' order by place)
         from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
              with ordinality as asked (privilege, place),
         lateral (
           select case when not has_table_privilege(:group, c.oid, privilege) then (
                    select string_agg(attname, ',' order by attname) from pg_attribute
                    where attrelid = c.oid and attnum > 0 and not attisdropped
                      and privilege in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                      and has_column_privilege(:group, c.oid, attnum, privilege)) end as columns
         ) as partly
         where has_table_privilege(:group, c.oid, privilege) or columns is not null) as privileges
       from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'`,
      { group },
    );
    return Object.fromEntries(rows.map(({ table, privileges }: Record<string, string>) => [table, privileges ?? '']));
  }

  it.each(['cart_writer', 'cart_sender', 'cart_reader'] as const)(
    'is what %s needs, with every table',
    async (group) => {
      await withDatabase(await createDatabase(), async ({ db }) => {
        const wanted = Object.fromEntries(Object.entries(expected).map(([table, by]) => [table, by[group] ?? '']));
        expect(await readPrivileges(db, group)).toEqual(wanted);
      });
    },
  );

  it('is to own everything that a migration makes, for cart_owner', async () => {
    await withDatabase(await createDatabase(), async ({ db }) => {
      const { rows } = await db.raw(`
        select relname::text as name from pg_class
        where relnamespace in ('public'::regnamespace, 'reports'::regnamespace) and relowner <> 'cart_owner'::regrole
        union all
        select p.oid::regprocedure::text from pg_proc p
        where pronamespace in ('public'::regnamespace, 'reports'::regnamespace) and proowner <> 'cart_owner'::regrole
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`);
      expect(rows).toEqual([]);
    });
  });

  it('does not let cart_writer change or remove a decision', async () => {
    await withDatabase(await createDatabase(), async (database) => {
      await as('cart_writer', database, async (db) => {
        await aCart(db);
        const forbidden = [
          "update cart_commands set actor = 'somebody'",
          "update cart_commands set hash = '\\x00'",
          "update cart_users set salt = '\\x00'",
          'delete from cart_events',
          'truncate cart_commands',
          'alter table cart_events disable trigger all',
          // The trigger must not take this table for that of the repairs.
          `create temp table cart_repairs (user_id text, transaction_id xid8);
           insert into cart_repairs values ('alice', pg_current_xact_id());
           update cart_commands set hash = '\\x00' where user_id = 'alice'`,
        ];
        for (const statement of forbidden) {
          await expect(db.raw(statement)).rejects.toThrow(/permission denied|append-only|must be owner/);
        }
      });
    });
  });
});

describe('the schema', () => {
  const othersThanOwner = groups.filter((group) => group !== 'cart_owner');

  it('is made by a member of cart_owner in an empty database, and later by another', async () => {
    await withDatabase(await createDatabase({ migrated: false }), async (database) => {
      await database.db.raw('grant create on database ?? to cart_owner', [new URL(database.url).pathname.slice(1)]);
      await database.db.raw('grant usage, create on schema public to cart_owner');
      await as('cart_owner', database, async (db) => {
        await prepareSchema(db);
        await prepareSchema(db);
      });
      await database.db.raw('alter table carts owner to postgres');
      await prepareSchema(database.db);
      await as('cart_writer', database, async (db) => {
        await prepareSchema(db);
        await aCart(db);
      });
    });
  });

  it.each(othersThanOwner)('is checked and not changed by %s', async (group) => {
    await withDatabase(await createDatabase(), async (database) => {
      await as(group, database, prepareSchema);
      await database.db('migrations').insert({ name: '9999-from-the-future', batch: 99 });
      await expect(as(group, database, prepareSchema)).rejects.toThrow(
        /newer than this code: it has 9999-from-the-future/,
      );
      await database.db('migrations').whereIn('name', ['9999-from-the-future', '0008-split-roots']).delete();
      await expect(as(group, database, prepareSchema)).rejects.toThrow(
        /older than this code: it lacks 0008-split-roots.*npm run migrate/,
      );
    });
  });

  it('is missing for them in a database that nobody has migrated, or that another version has', async () => {
    await withDatabase(await createDatabase({ migrated: false }), async (database) => {
      await expect(as('cart_reader', database, prepareSchema)).rejects.toThrow(/it lacks 0001-carts, /);
    });
    await withDatabase(await createEarlier('0006'), async (database) => {
      await expect(as('cart_writer', database, prepareSchema)).rejects.toThrow(/may not read the tables .*cart_writer/);
      await migrate(database.db);
      await as('cart_writer', database, prepareSchema);
    });
  });
});

describe('a rebuild', () => {
  const readGrants = async (db: Knex) =>
    (
      await db.raw(
        `select relname, relowner::regrole::text as owner, array(select item::text from unnest(relacl) as item order by 1) as grants,
                array(select format('%s %s', attname, attacl) from pg_attribute
                      where attrelid = pg_class.oid and attacl is not null order by 1) as columns
         from pg_class where relnamespace = 'public'::regnamespace and relname = any(?) order by 1`,
        [[...readModelTables]],
      )
    ).rows;

  it('keeps owners and every grant, those of before and those of administrators', async () => {
    await withDatabase(await createDatabase(), async (database) => {
      await aCart(database.db);
      await database.db.raw(`
        grant select on carts to test_cart_writer with grant option;
        grant select (user_id, product_id), references (user_id) on cart_items to test_cart_sender;
        grant select on cart_item_history to public;
        revoke delete on cart_items from cart_writer`);
      const before = await readGrants(database.db);
      await as('cart_owner', database, (db) => rebuildAll(db, () => {}));
      expect(await readGrants(database.db)).toEqual(before);
      await as('cart_reader', database, async (db) =>
        expect(await db('cart_items').pluck('product_id')).toHaveLength(2),
      );
    });
  });

  it('gives the groups what they need on tables that were missing', async () => {
    await withDatabase(await createDatabase(), async (database) => {
      await aCart(database.db);
      const before = await readGrants(database.db);
      await database.db.raw('drop table cart_item_history, cart_items, carts');
      await as('cart_owner', database, (db) => rebuildAll(db, () => {}));
      expect(await readGrants(database.db)).toEqual(before);
    });
  });
});
