import type { Pool, PoolClient } from 'pg';
import type { Command } from '../../src/domain/commands';
import { decide } from '../../src/domain/decide';
import { evolve } from '../../src/domain/evolve';
import { type Cart, emptyCart } from '../../src/domain/state';

/** The tables of the alternatives without Temporal: a row per command, a row per line, and the cart that rules need. */
export const rowTables = `
  create table if not exists alternative_carts (
    user_id text primary key, sequence integer not null, cart jsonb not null
  );
  create table if not exists alternative_commands (
    user_id text, sequence integer, command_id text not null, command jsonb not null, outcome text not null,
    primary key (user_id, sequence), unique (user_id, command_id)
  );
  create table if not exists alternative_items (
    user_id text, product_id text, quantity integer not null, unit_price integer not null,
    primary key (user_id, product_id)
  )`;

/** What the rules of the cart make of a command. */
export interface Decided {
  readonly sequence: number;
  readonly cart: Cart;
  readonly outcome: 'applied' | 'rejected';
}

export const nothingDecided: Decided = { sequence: 0, cart: emptyCart, outcome: 'applied' };

export function decideNext({ sequence, cart }: Decided, command: Command): Decided {
  const decision = decide(cart, command);
  const facts = decision.outcome === 'applied' ? decision.events : [];
  const stamp = { occurredAt: command.issuedAt, commandId: command.commandId, actor: command.actor };
  const next = facts.reduce((before, fact) => evolve(before, { ...fact, ...stamp, version: before.version + 1 }), cart);
  return { sequence: sequence + 1, cart: next, outcome: decision.outcome };
}

const statements = {
  cart: 'select sequence, cart from alternative_carts where user_id = $1 for update',
  newCart: `insert into alternative_carts (user_id, sequence, cart) values ($1, 0, $2) on conflict do nothing`,
  command: 'select outcome from alternative_commands where user_id = $1 and command_id = $2',
  write: `
    with command as (
      insert into alternative_commands (user_id, sequence, command_id, command, outcome) values ($1, $2, $3, $4, $5)
      on conflict do nothing
    ), removed as (
      delete from alternative_items where user_id = $1 and product_id = $6 and $7::integer is null
    ), line as (
      insert into alternative_items (user_id, product_id, quantity, unit_price)
      select $1, $6, $7, $8 where $7::integer is not null
      on conflict (user_id, product_id) do update set quantity = excluded.quantity
    )
    insert into alternative_carts (user_id, sequence, cart) values ($1, $2, $9)
    on conflict (user_id) do update set sequence = excluded.sequence, cart = excluded.cart
    where alternative_carts.sequence < excluded.sequence`,
};

/** Writes a command that was decided, and the line that it changed. Written again, it changes nothing. */
export async function writeRows(
  client: Pool | PoolClient,
  userId: string,
  command: Command,
  { sequence, cart, outcome }: Decided,
): Promise<void> {
  const productId = 'productId' in command ? command.productId : null;
  const line = cart.items.find((item) => item.productId === productId);
  const { commandId, ...rest } = command;
  const values = [
    ...[userId, sequence, commandId, JSON.stringify(rest), outcome],
    ...[productId, line?.quantity ?? null, line?.unitPrice ?? null, JSON.stringify(cart)],
  ];
  await client.query({ name: 'write', text: statements.write, values });
}

/** Decides a command and writes it, in one transaction that holds the row of the cart. A repeated one has no effect. */
export async function decideInTransaction(pool: Pool, userId: string, command: Command): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const decided = await lockCart(client, userId);
    const known = await client.query({
      name: 'command',
      text: statements.command,
      values: [userId, command.commandId],
    });
    const next = decideNext(decided, command);
    if (known.rows.length === 0) await writeRows(client, userId, command, next);
    await client.query('commit');
    return known.rows[0]?.outcome ?? next.outcome;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function lockCart(client: PoolClient, userId: string): Promise<Decided> {
  const select = () => client.query({ name: 'cart', text: statements.cart, values: [userId] });
  let { rows } = await select();
  if (rows.length === 0) {
    await client.query({ name: 'new-cart', text: statements.newCart, values: [userId, JSON.stringify(emptyCart)] });
    ({ rows } = await select());
  }
  return { ...rows[0], outcome: 'applied' };
}
