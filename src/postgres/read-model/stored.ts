import type { Knex } from 'knex';
import type { ReadModel } from './build';

/** A cart's read model in Postgres, by table, as JSON. Two of them are equal as text exactly if all rows are equal. */
export type StoredReadModel = Readonly<Record<keyof ReadModel, unknown[] | null>>;

type RelationNames = Readonly<Record<keyof ReadModel, string>>;

/** SQL that reads the rows of these relations as a `StoredReadModel`. */
const selectStoredModel = (tables: RelationNames) => `
  select (select jsonb_agg(to_jsonb(c)) from ${tables.carts} c) as carts,
         (select jsonb_agg(to_jsonb(i) order by i.added_version, i.product_id)
          from ${tables.cart_items} i) as cart_items,
         (select jsonb_agg(to_jsonb(h) order by lower(h.versions), h.added_version, h.product_id)
          from ${tables.cart_item_history} h) as cart_item_history`;

const ofUser = (table: string) => `(select * from ${table} where user_id = :userId)`;
const storedSql = selectStoredModel({
  carts: ofUser('carts'),
  cart_items: ofUser('cart_items'),
  cart_item_history: ofUser('cart_item_history'),
});

/** Reads a cart's read model from Postgres. */
export async function readStoredModel(db: Knex, userId: string): Promise<StoredReadModel> {
  const { rows } = await db.raw(storedSql, { userId });
  return rows[0];
}

const computed = (table: string) => `jsonb_populate_recordset(null::${table}, :${table}_json::jsonb)`;
const computedSql = selectStoredModel({
  carts: computed('carts'),
  cart_items: computed('cart_items'),
  cart_item_history: computed('cart_item_history'),
});

/** Converts a computed read model to the form of one that is read from Postgres. */
export async function toStoredModel(db: Knex, model: ReadModel): Promise<StoredReadModel> {
  const bindings = Object.fromEntries(
    Object.entries(model).map(([table, rows]) => [`${table}_json`, JSON.stringify(rows)]),
  );
  const { rows } = await db.raw(computedSql, bindings);
  return rows[0];
}

/** Reads the number of decisions in a cart's read model; 0 if it has none. */
export async function readModelSequence(db: Knex, userId: string): Promise<number> {
  return (await db('carts').where({ user_id: userId }).first('sequence'))?.sequence ?? 0;
}

/** Lists the users that have a cart in the read model, in order of user id. */
export async function* listUsersInReadModel(db: Knex): AsyncGenerator<string> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const users: string[] = await db('carts')
      .where('user_id', '>', after)
      .orderBy('user_id')
      .limit(1_000)
      .pluck('user_id');
    yield* users;
    after = users.at(-1);
  }
}
