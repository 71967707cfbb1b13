import fc from 'fast-check';
import { type MergeStrategy, mergeStrategies } from '../../src/domain/commands';
import { evolve } from '../../src/domain/evolve';
import type { Checkpoint } from '../../src/domain/handle';
import { limits } from '../../src/domain/limits';
import { emptyCart, statusOf } from '../../src/domain/state';
import { add, decideAll } from '../support/cart-story';

const guest = 'guest:1';
const handOver = (to = 'alice', strategy: MergeStrategy = 'sum') => ({
  ...{ type: 'handOverCart', commandId: `to-${to}-${strategy}` },
  ...{ to, strategy },
});

/** The command that a hand-over leads to, made of its event as the product makes it of the record. */
function mergeOf({ checkpoint }: { checkpoint: Checkpoint }, strategy: MergeStrategy) {
  const { items, currency, note } = checkpoint.cart;
  return { type: 'mergeCart', commandId: `merge:${guest}`, from: guest, strategy, items, currency, note };
}

/** Merges the cart of these commands into that of those. */
const merge = (
  theirs: Parameters<typeof decideAll>[0],
  own: Parameters<typeof decideAll>[0],
  strategy: MergeStrategy,
) => decideAll([mergeOf(decideAll(theirs), strategy)], decideAll(own).checkpoint);

const linesOf = ({ checkpoint }: { checkpoint: Checkpoint }) =>
  checkpoint.cart.items.map(({ productId, quantity, unitPrice }) => [productId, quantity, unitPrice]);

describe('a cart that is handed over', () => {
  const before = decideAll([add('pen', 2), add('ink')]);
  const after = decideAll([handOver()], before.checkpoint);

  it('records what it held, and to whom it went', () => {
    const { items } = before.checkpoint.cart;
    expect(after.decision?.events).toMatchObject([
      { type: 'CartHandedOver', version: 3, data: { to: 'alice', strategy: 'sum', items, currency: 'EUR' } },
    ]);
    expect(after.checkpoint.cart).toMatchObject({ version: 3, items: [], currency: null, handedOverTo: 'alice' });
    expect(statusOf(after.checkpoint.cart)).toBe('merged');
  });

  it.each([
    add('pen'),
    { type: 'changeItemQuantity', productId: 'pen', quantity: 3 },
    { type: 'removeItem', productId: 'pen' },
    { type: 'clearCart' },
    { type: 'changeNote', note: 'too late' },
    { type: 'checkOut' },
    { type: 'restoreCart', version: 0, items: [], currency: null },
    { type: 'mergeCart', from: 'guest:2', strategy: 'sum', items: [], currency: null },
    handOver('bob'),
  ])('takes no $type after that', (command) => {
    const { decision, checkpoint } = decideAll([{ ...command, commandId: 'later' }], after.checkpoint);
    expect(decision).toMatchObject({ outcome: 'rejected', code: 'cart_handed_over' });
    expect(decision).toHaveProperty('reason', expect.not.stringContaining('alice'));
    expect(checkpoint.cart).toEqual(after.checkpoint.cart);
  });

  it('is handed over to the same user again without any effect', () => {
    const again = decideAll([{ ...handOver('alice', 'max'), commandId: 'again' }], after.checkpoint);
    expect(again.decision).toMatchObject({ outcome: 'applied', events: [] });
  });

  it('records its note, and has none afterwards', () => {
    const { decision, checkpoint } = decideAll([{ type: 'changeNote', note: 'Ring twice' }, handOver()]);
    expect(decision?.events).toMatchObject([{ type: 'CartHandedOver', data: { note: 'Ring twice' } }]);
    expect(checkpoint.cart).not.toHaveProperty('note');
  });

  it('is closed also where it was empty', () => {
    const { checkpoint } = decideAll([handOver(), add('pen')]);
    expect(checkpoint.cart).toMatchObject({ version: 1, items: [], handedOverTo: 'alice' });
  });
});

describe('a merge', () => {
  const theirs = [add('pen', 5, { unitPrice: 99 }), add('ink', 1)];
  const own = [add('pen', 2), add('pad', 1)];

  it.each([
    ['sum', 7],
    ['max', 5],
    ['keep', 2],
    ['replace', 5],
  ] as const)('by %s makes the quantity of a product in both carts %i, at the price of the user', (strategy, pens) => {
    expect(linesOf(merge(theirs, own, strategy))).toEqual([
      ['pen', pens, 250],
      ['pad', 1, 250],
      ['ink', 1, 250],
    ]);
  });

  it('keeps the price at which the guest added a product', () => {
    expect(linesOf(merge(theirs, [], 'sum'))).toEqual([
      ['pen', 5, 99],
      ['ink', 1, 250],
    ]);
  });

  it('records an event for itself and one for each line that it changes', () => {
    const { decision } = merge(theirs, own, 'sum');
    expect(decision?.events).toMatchObject([
      { type: 'CartMerged', data: { from: guest, strategy: 'sum', leftOut: [] } },
      { type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 7, previousQuantity: 2, mergedFrom: guest } },
      { type: 'ItemAdded', data: { productId: 'ink', quantity: 1, previousQuantity: 0, mergedFrom: guest } },
    ]);
  });

  it('names the 20 lines that do not fit where 60 meet 60 others', () => {
    const lines = (name: string) => Array.from({ length: 60 }, (_, n) => add(`${name}-${n}`, 2));
    const { decision, checkpoint } = merge(lines('theirs'), lines('own'), 'sum');
    expect(checkpoint.cart.items).toHaveLength(limits.linesPerCart);
    const [merged] = decision!.events;
    const leftOut = Array.from({ length: 20 }, (_, n) => `theirs-${n + 40}`);
    expect(merged!.data).toMatchObject({
      leftOut: leftOut.map((productId) => ({ productId, quantity: 2, unitPrice: 250, code: 'line_limit_exceeded' })),
    });
  });

  it('names how many units do not fit', () => {
    const { decision, checkpoint } = merge([add('pen', 500)], [add('pen', 600)], 'sum');
    expect(checkpoint.cart.items).toMatchObject([{ quantity: 999 }]);
    expect(decision!.events[0]!.data).toMatchObject({
      leftOut: [{ productId: 'pen', quantity: 101, code: 'quantity_limit_exceeded' }],
    });
  });

  it('names every line where the carts have different currencies', () => {
    const { decision, checkpoint } = merge([add('cap', 1, { currency: 'USD' })], own, 'sum');
    expect(checkpoint.cart.items).toHaveLength(2);
    expect(decision!.events).toMatchObject([
      { type: 'CartMerged', data: { leftOut: [{ productId: 'cap', quantity: 1, code: 'currency_mismatch' }] } },
    ]);
  });

  it('of an empty cart changes nothing', () => {
    expect(merge([], own, 'replace').decision).toMatchObject({ outcome: 'applied', events: [] });
  });

  const note = (text: string) => ({ type: 'changeNote', note: text });
  it.each<[MergeStrategy, own: string | undefined, after: string, leftOutNote: string | undefined]>([
    ['sum', undefined, 'theirs', undefined],
    ['keep', undefined, 'theirs', undefined],
    ['sum', 'own', 'own', 'theirs'],
    ['max', 'own', 'own', 'theirs'],
    ['keep', 'own', 'own', 'theirs'],
    ['replace', 'own', 'theirs', undefined],
    ['sum', 'theirs', 'theirs', undefined],
  ])('by %s of a note into a cart whose note is %s leaves %s, and names %s', (strategy, before, after, leftOutNote) => {
    const { decision, checkpoint } = merge([note('theirs')], before === undefined ? [] : [note(before)], strategy);
    expect(checkpoint.cart.note).toBe(after);
    const changed = { note: 'theirs', previousNote: before ?? null, mergedFrom: guest };
    expect(decision?.events.map(({ type, data }) => ({ type, data }))).toEqual(
      before === 'theirs'
        ? []
        : [
            {
              type: 'CartMerged',
              data: { from: guest, strategy, leftOut: [], ...(leftOutNote ? { leftOutNote } : {}) },
            },
            ...(leftOutNote ? [] : [{ type: 'NoteChanged', data: changed }]),
          ],
    );
  });

  it('can be undone by a restore of the version before it', () => {
    const before = decideAll(own).checkpoint.cart;
    const after = merge(theirs, own, 'sum').checkpoint;
    const { version, items, currency } = before;
    const { checkpoint } = decideAll([{ type: 'restoreCart', version, items, currency }], after);
    expect(checkpoint.cart.items).toEqual(items);
  });
});

describe('any two carts', () => {
  const line = fc.record({
    product: fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(150) }),
    quantity: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 400, max: 999 })),
  });
  const cart = fc.oneof(fc.array(line, { maxLength: 8 }), fc.array(line, { minLength: 60, maxLength: 120 }));
  const toCommands = (lines: readonly { product: number; quantity: number }[]) =>
    lines.map(({ product, quantity }) => add(`p${product}`, quantity));

  it('are merged so that each unit of the guest is in the cart or is named', () => {
    fc.assert(
      fc.property(cart, cart, fc.constantFrom(...mergeStrategies), (theirs, own, strategy) => {
        const [from, into] = [decideAll(toCommands(theirs)).checkpoint.cart, decideAll(toCommands(own))];
        const { decision, checkpoint } = decideAll(
          [mergeOf({ checkpoint: { ...into.checkpoint, cart: from } }, strategy)],
          into.checkpoint,
        );
        const quantityIn = (items: readonly { productId: string; quantity: number }[], id: string) =>
          items.find(({ productId }) => productId === id)?.quantity ?? 0;
        const merged = decision!.events.find(({ type }) => type === 'CartMerged');
        const leftOut = merged?.type === 'CartMerged' ? merged.data.leftOut : [];
        for (const { productId, quantity } of from.items) {
          const before = quantityIn(into.checkpoint.cart.items, productId);
          const wanted = {
            sum: before + quantity,
            max: Math.max(before, quantity),
            keep: before === 0 ? quantity : before,
            replace: quantity,
          }[strategy];
          const now = quantityIn(checkpoint.cart.items, productId);
          expect(now + quantityIn(leftOut, productId)).toBe(wanted);
        }
        for (const { productId, quantity } of into.checkpoint.cart.items) {
          if (quantityIn(from.items, productId) > 0) continue;
          expect(quantityIn(checkpoint.cart.items, productId)).toBe(quantity);
        }
        expect(checkpoint.cart.items.length).toBeLessThanOrEqual(limits.linesPerCart);
        const events = [...into.decisions, decision!].flatMap((each) => each.events);
        expect(events.reduce(evolve, emptyCart)).toEqual(checkpoint.cart);
      }),
      { numRuns: 500 },
    );
  });
});
