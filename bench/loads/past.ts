import { randomInt, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Command } from '../../src/domain/commands';
import { type Checkpoint, emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';
import { projectBatches } from '../../src/postgres/projection/project';
import { products } from '../lines';

const days = 86_400_000;
const runId = randomUUID();

/** Writes carts with three events and two lines each, over the last 30 days, until there are this many. */
export async function manyCarts(db: Knex, carts: number): Promise<number> {
  const existing = Number((await db('carts').whereLike('user_id', 'many-%').count('* as n').first())?.n);
  for (let first = existing; first < carts; first += 500) {
    const batches = Array.from({ length: Math.min(500, carts - first) }, (_, n) => {
      const start = Date.now() - randomInt(1, 30 * days);
      const decisions = [0, 1, 0].map((product, step) => ({ product, at: start + step * 1_000 }));
      return { userId: `many-${first + n}`, decisions: decideAll(`many-${first + n}`, decisions).decisions };
    });
    await db.transaction((trx) => projectBatches(trx, batches));
  }
  await db.raw('vacuum analyze');
  return carts;
}

/** A cart with past events; `from` and `to` are the instants of its first and its last event. */
export interface OldCart {
  readonly userId: string;
  readonly events: number;
  readonly from: number;
  readonly to: number;
  readonly checkpoint: Checkpoint;
}

/** Writes one cart for each of these numbers of events. Its events are a second apart. */
export async function oldCarts(db: Knex, depths: readonly number[]): Promise<OldCart[]> {
  const carts: OldCart[] = [];
  for (const events of depths) {
    const userId = `old-${events}-${randomUUID()}`;
    const from = Date.now() - events * 1_000;
    let checkpoint = emptyCheckpoint;
    for (let first = 0; first < events; first += 500) {
      const steps = Array.from({ length: Math.min(500, events - first) }, (_, n) => ({
        product: randomInt(products.length),
        at: from + (first + n) * 1_000,
      }));
      const decided = decideAll(userId, steps, checkpoint);
      checkpoint = decided.checkpoint;
      await db.transaction((trx) => projectBatches(trx, [{ userId, decisions: decided.decisions }]));
    }
    carts.push({ userId, events, from, to: from + (events - 1) * 1_000, checkpoint });
  }
  await db.raw('vacuum analyze');
  return carts;
}

/** Projects commands one by one, to a new cart of so many lines or an old one. @returns the milliseconds each took. */
export async function projectOneByOne(db: Knex, lines: number, commands: number, cart?: OldCart): Promise<number[]> {
  const userId = cart?.userId ?? `lines-${lines}-${randomUUID()}`;
  const from = cart === undefined ? Date.now() - days : cart.to;
  const fill = Array.from({ length: cart === undefined ? lines : 0 }, (_, n) => ({ product: n, at: from + n }));
  let { checkpoint, decisions } = decideAll(userId, fill, cart?.checkpoint);
  if (fill.length > 0) await db.transaction((trx) => projectBatches(trx, [{ userId, decisions }]));
  const took: number[] = [];
  for (let n = 0; n < commands; n += 1) {
    ({ checkpoint, decisions } = decideAll(userId, [{ product: n % lines, at: from + 1_000 * (n + 1) }], checkpoint));
    const started = performance.now();
    await db.transaction((trx) => projectBatches(trx, [{ userId, decisions }]));
    took.push(performance.now() - started);
  }
  return took;
}

/** Decides one command for each step: it adds a product or, where the cart has nine of it, sets its quantity to 1. */
function decideAll(
  userId: string,
  steps: readonly { readonly product: number; readonly at: number }[],
  from: Checkpoint = emptyCheckpoint,
): { checkpoint: Checkpoint; decisions: RecordedDecision[] } {
  let checkpoint = from;
  const decisions = steps.map(({ product, at }) => {
    const line = {
      productId: `product-${product}`,
      name: `Product ${product}`,
      unitPrice: 100 + product,
      currency: 'EUR',
    };
    const now = new Date(at).toISOString();
    const envelope = { commandId: randomUUID(), issuedAt: now, actor: `user:${userId}` };
    const quantity = checkpoint.cart.items.find((item) => item.productId === line.productId)?.quantity ?? 0;
    const command: Command =
      quantity < 9
        ? { type: 'addItem', ...envelope, ...line, quantity: 1 }
        : { type: 'changeItemQuantity', ...envelope, productId: line.productId, quantity: 1 };
    const step = handle(checkpoint, command, { now, runId, freshId: randomUUID, unprojectedCount: 0 });
    checkpoint = step.checkpoint;
    return step.decision!;
  });
  return { checkpoint, decisions };
}
