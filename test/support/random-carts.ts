import fc from 'fast-check';
import type { Knex } from 'knex';
import type { CartEvent } from '../../src/domain/events';
import { emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';
import { type Cart, emptyCart } from '../../src/domain/state';
import { project } from '../../src/postgres/projection/project';
import { add, command } from './cart-story';

/** The events of each user, oldest first. */
export type Logs = ReadonlyMap<string, readonly CartEvent[]>;

export const startMs = Date.UTC(2030, 0, 1);
export const hourMs = 3_600_000;
/** Most of the time in which the carts were used. */
export const period = { from: '2030-01-20T07:30:00.000Z', to: '2030-03-01T01:00:00.000Z' };
export const iso = (ms: number) => new Date(ms).toISOString();

export const products = ['pen', 'ink', 'Pad', 'cap~1', 'tea'];
export const names: Record<string, string> = {
  pen: '=1+1',
  ink: 'Ink, "blue"',
  Pad: 'Pad',
  'cap~1': '@cap',
  tea: '茶',
};

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'change', 'remove', 'clear', 'checkout', 'restore', 'note'),
  product: fc.constantFrom(...products),
  quantity: fc.nat(9),
  // Often 0, so that several events fall into one millisecond.
  pauseMs: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(20 * hourMs)),
  back: fc.nat(12),
});
const anyStory = fc.record({
  currency: fc.constantFrom('EUR', 'EUR', 'USD'),
  delayMs: fc.nat(90 * 24 * hourMs),
  steps: fc.array(step, { minLength: 0, maxLength: 25 }),
});

type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

/** Decides the commands of a story one after another, each at an instant of its own. */
function decide({ currency, delayMs, steps }: Story): RecordedDecision[] {
  let checkpoint = emptyCheckpoint;
  let now = startMs + delayMs;
  const past: Cart[] = [emptyCart];
  const decisions: RecordedDecision[] = [];
  steps.forEach(({ kind, product, quantity, pauseMs, back }, index) => {
    now += pauseMs;
    const restored = past.at(-1 - (back % past.length))!;
    const unitPrice = 100 + 7 * products.indexOf(product);
    const fields = {
      add: add(product, quantity + 1, { name: names[product], unitPrice, currency }),
      change: { type: 'changeItemQuantity', productId: product, quantity },
      remove: { type: 'removeItem', productId: product },
      clear: { type: 'clearCart' },
      checkout: { type: 'checkOut' },
      note: { type: 'changeNote', note: quantity === 0 ? null : `note ${quantity}` },
      restore: {
        type: 'restoreCart',
        version: restored.version,
        items: restored.items,
        currency: restored.currency,
        note: restored.note ?? null,
      },
    }[kind]!;
    const context = { now: iso(now), runId: 'run', freshId: () => `fresh${index}`, unprojectedCount: 0 };
    const result = handle(checkpoint, command(fields, index), context);
    checkpoint = result.checkpoint;
    past.push(checkpoint.cart);
    if (result.decision) decisions.push(result.decision);
  });
  return decisions;
}

/** Projects random carts, several decisions at once. */
export async function projectRandomCarts(db: Knex, carts: number, seed: number): Promise<Logs> {
  const stories = fc.sample(anyStory, { numRuns: carts, seed });
  const all = stories.map((story, index) => ({ userId: `+user|${index}`, decisions: decide(story) }));
  for (const { userId, decisions } of all) {
    for (let from = 0; from < decisions.length; from += 6) {
      await db.transaction((trx) => project(trx, userId, decisions.slice(from, from + 6)));
    }
  }
  return new Map(all.map(({ userId, decisions }) => [userId, decisions.flatMap(({ events }) => events)]));
}

/** Random instants of the time in which the carts were used. Some are at an event, or one millisecond beside it. */
export function randomInstants(logs: Logs, count: number, seed: number): string[] {
  const events = [...logs.values()].flat();
  const anyInstant = fc.oneof(
    fc.nat(110 * 24 * hourMs).map((ms) => startMs + ms),
    fc
      .tuple(fc.nat(events.length - 1), fc.integer({ min: -1, max: 1 }))
      .map(([n, shift]) => Date.parse(events[n]!.occurredAt) + shift),
  );
  return fc.sample(anyInstant, { numRuns: count, seed }).map(iso);
}
