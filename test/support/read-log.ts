import { evolve } from '../../src/domain/evolve';
import { emptyCart } from '../../src/domain/state';
import { toEvent } from '../../src/postgres/log/rows';
import type { World } from './world';

/** The log of a cart in Postgres: its commands and events, in order. */
export async function readLog(world: World, userId: string) {
  const commands = await world.db('cart_commands').where({ user_id: userId }).orderBy('sequence');
  const rows = await world.db('cart_events').where({ user_id: userId }).orderBy('version');
  return { commands, events: rows.map(toEvent) };
}

/** Fails unless the log has no gaps, each event belongs to an applied command, and the events fold to the cart. */
export async function expectConsistentLog(world: World, userId: string): Promise<void> {
  const { commands, events } = await readLog(world, userId);
  const { body: cart } = await world.request('GET', `/carts/${encodeURIComponent(userId)}`);
  const folded = events.reduce(evolve, emptyCart);
  expect(commands.map((command) => command.sequence)).toEqual(commands.map((_, index) => index + 1));
  expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(commands.map((command) => command.command_id)).size).toBe(commands.length);
  const applied = new Set(commands.filter(({ outcome }) => outcome === 'applied').map(({ command_id }) => command_id));
  expect(events.filter((event) => !applied.has(event.commandId))).toEqual([]);
  expect(cart.version).toBe(folded.version);
  expect(
    cart.items.map(({ productId, quantity, unitPrice, addedAt }: Record<string, unknown>) => ({
      productId,
      quantity,
      unitPrice,
      addedAt,
    })),
  ).toEqual(
    folded.items.map(({ productId, quantity, unitPrice, addedAt }) => ({ productId, quantity, unitPrice, addedAt })),
  );
}
