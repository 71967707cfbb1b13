import type { ProductFacts } from '../../src/domain/facts';
import { limits } from '../../src/domain/limits';
import { itemCountOf, statusOf, subtotalOf } from '../../src/domain/state';
import { add, decideAll } from '../support/cart-story';

const given = (...commands: Parameters<typeof decideAll>[0]) => ({
  when(command: Parameters<typeof decideAll>[0][number]) {
    const before = decideAll(commands);
    const { decision, checkpoint } = decideAll([command], before.checkpoint);
    return {
      thenEvents(...events: { type: string; data: unknown }[]) {
        expect(decision).toMatchObject({ outcome: 'applied' });
        expect(decision?.events.map(({ type, data }) => ({ type, data }))).toEqual(events);
        expect(checkpoint.cart.version).toBe(before.checkpoint.cart.version + events.length);
      },
      thenRejected(code: string) {
        expect(decision).toMatchObject({ outcome: 'rejected', code, events: [] });
        expect(decision).toHaveProperty('reason', expect.stringMatching(/\.$/));
        expect(checkpoint.cart).toEqual(before.checkpoint.cart);
      },
    };
  },
});

const offer = (productId: string, more: Partial<Extract<ProductFacts, { available: true }>> = {}): ProductFacts => ({
  productId,
  available: true,
  unitPrice: 250,
  currency: 'EUR',
  ...more,
});
const withdrawn = (productId: string): ProductFacts => ({ productId, available: false });

const pen = { productId: 'pen', name: 'The pen', unitPrice: 250, currency: 'EUR' };

describe('addItem', () => {
  it('puts a product into the cart with its price and name', () =>
    given()
      .when(add('pen', 2))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 2, previousQuantity: 0 } }));

  it('increases the quantity of a line', () =>
    given(add('pen', 2))
      .when(add('pen', 3))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 5, previousQuantity: 2 } }));

  it('keeps the price and the name with which a line was first added', () =>
    given(add('pen'))
      .when(add('pen', 1, { unitPrice: 900, name: 'Dearer pen' }))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 2, previousQuantity: 1 } }));

  it('fills a line up to its limit', () =>
    given(add('pen', limits.quantityPerProduct - 1))
      .when(add('pen'))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: limits.quantityPerProduct, previousQuantity: 998 } }));

  it('is rejected as a whole where it would exceed the limit of a line', () =>
    given(add('pen', 998)).when(add('pen', 2)).thenRejected('quantity_limit_exceeded'));

  it("is rejected where it would exceed the product's own limit", () =>
    given(add('pen', 2))
      .when(add('pen', 2, { maxQuantity: 3 }))
      .thenRejected('quantity_limit_exceeded'));

  it('is rejected when the cart has the maximum number of lines', () =>
    given(...Array.from({ length: limits.linesPerCart }, (_, index) => add(`p${index}`)))
      .when(add('one-more'))
      .thenRejected('line_limit_exceeded'));

  it('increases the quantity of a line of a full cart', () =>
    given(...Array.from({ length: limits.linesPerCart }, (_, index) => add(`p${index}`)))
      .when(add('p7'))
      .thenEvents({
        type: 'ItemAdded',
        data: { ...pen, productId: 'p7', name: 'The p7', quantity: 2, previousQuantity: 1 },
      }));

  it('is rejected in another currency than that of the cart', () =>
    given(add('pen'))
      .when(add('ink', 1, { currency: 'USD' }))
      .thenRejected('currency_mismatch'));

  it('accepts any currency after the cart became empty', () =>
    given(add('pen'), { type: 'removeItem', productId: 'pen' })
      .when(add('ink', 1, { currency: 'USD' }))
      .thenEvents({
        type: 'ItemAdded',
        data: { productId: 'ink', name: 'The ink', unitPrice: 250, currency: 'USD', quantity: 1, previousQuantity: 0 },
      }));
});

describe('changeItemQuantity', () => {
  const change = (quantity: number, more = {}) => ({ type: 'changeItemQuantity', productId: 'pen', quantity, ...more });

  it('sets the quantity', () =>
    given(add('pen', 2))
      .when(change(7))
      .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 7, previousQuantity: 2 } }));

  it('removes the line at 0', () =>
    given(add('pen', 2))
      .when(change(0))
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 2 } }));

  it('changes nothing where the quantity is the same', () => given(add('pen', 2)).when(change(2)).thenEvents());
  it('changes nothing where it removes a product that is not in the cart', () => given().when(change(0)).thenEvents());
  it('is rejected for a product that is not in the cart', () =>
    given().when(change(1)).thenRejected('item_not_in_cart'));
  it('is rejected above the limit of a line', () =>
    given(add('pen')).when(change(1_000)).thenRejected('quantity_limit_exceeded'));
  it("is rejected above the product's own limit", () =>
    given(add('pen'))
      .when(change(4, { facts: [offer('pen', { maxQuantity: 3 })] }))
      .thenRejected('quantity_limit_exceeded'));
  it('does not raise the quantity of a product that is not for sale any more', () =>
    given(add('pen'))
      .when(change(2, { facts: [withdrawn('pen')] }))
      .thenRejected('product_unavailable'));
  it('does not raise the quantity of a product that has another currency now, as addItem does not', () =>
    given(add('pen'))
      .when(change(2, { facts: [offer('pen', { currency: 'USD' })] }))
      .thenRejected('currency_mismatch'));
  it('does not raise the quantity of a product that was not looked up', () =>
    given(add('pen'))
      .when(change(2, { facts: [] }))
      .thenRejected('try_again'));
  it('keeps the price of the line where it raises the quantity', () =>
    given(add('pen'))
      .when(change(2, { facts: [offer('pen', { unitPrice: 900 })] }))
      .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 2, previousQuantity: 1 } }));
  it.each([
    ['above a later limit', [offer('pen', { maxQuantity: 3 })]],
    ['of a product that is not for sale any more', [withdrawn('pen')]],
    ['of a product that was not looked up', []],
  ])('lowers a line %s', (_kind, facts) =>
    given(add('pen', 9))
      .when(change(5, { facts }))
      .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 5, previousQuantity: 9 } }),
  );

  describe('from before commands carried facts', () => {
    it('raises a line up to its limit', () =>
      given(add('pen'))
        .when(change(3, { maxQuantity: 3 }))
        .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 3, previousQuantity: 1 } }));
    it('is rejected above the limit', () =>
      given(add('pen'))
        .when(change(4, { maxQuantity: 3 }))
        .thenRejected('quantity_limit_exceeded'));
    it('lowers a line that is above a later limit', () =>
      given(add('pen', 9))
        .when(change(5, { maxQuantity: 3 }))
        .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 5, previousQuantity: 9 } }));
  });
});

describe('removeItem', () => {
  it('removes the line', () =>
    given(add('pen', 2))
      .when({ type: 'removeItem', productId: 'pen' })
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 2 } }));
  it('changes nothing where the product is not in the cart', () =>
    given(add('pen')).when({ type: 'removeItem', productId: 'ink' }).thenEvents());
});

describe('clearCart', () => {
  it('removes all lines and records them', () =>
    given(add('pen', 2), add('ink'))
      .when({ type: 'clearCart' })
      .thenEvents({
        type: 'CartCleared',
        data: {
          items: [
            { productId: 'pen', name: 'The pen', unitPrice: 250, quantity: 2 },
            { productId: 'ink', name: 'The ink', unitPrice: 250, quantity: 1 },
          ],
        },
      }));
  it('changes nothing in an empty cart', () => given().when({ type: 'clearCart' }).thenEvents());
});

describe('checkOut', () => {
  it('empties the cart and records what was bought', () =>
    given(add('pen', 2))
      .when({ type: 'checkOut' })
      .thenEvents({
        type: 'CartCheckedOut',
        data: {
          items: [{ productId: 'pen', name: 'The pen', unitPrice: 250, quantity: 2 }],
          currency: 'EUR',
          subtotal: 500,
        },
      }));
  it('keeps the cart usable', () => {
    const { cart } = decideAll([add('pen'), { type: 'checkOut' }, add('ink')]).checkpoint;
    expect(cart.items.map((item) => item.productId)).toEqual(['ink']);
    expect(cart.version).toBe(3);
  });
  it('is rejected for an empty cart', () => given().when({ type: 'checkOut' }).thenRejected('cart_empty'));

  const bought = (unitPrice: number) => ({
    type: 'CartCheckedOut',
    data: {
      items: [{ productId: 'pen', name: 'The pen', unitPrice, quantity: 2 }],
      currency: 'EUR',
      subtotal: 2 * unitPrice,
    },
  });
  const repriced = { type: 'ItemRepriced', data: { productId: 'pen', unitPrice: 300, previousUnitPrice: 250 } };
  const checkOut = (facts: readonly ProductFacts[], more = {}) => ({ type: 'checkOut', facts, ...more });
  const dearer = [offer('pen', { unitPrice: 300 })];

  it('buys what has not changed', () =>
    given(add('pen', 2))
      .when(checkOut([offer('pen')]))
      .thenEvents(bought(250)));
  it('is rejected where a price has changed', () =>
    given(add('pen', 2)).when(checkOut(dearer)).thenRejected('price_changed'));
  it('is rejected where a price has changed, also if the customer was shown the old total', () =>
    given(add('pen', 2))
      .when(checkOut(dearer, { expectedTotal: 500 }))
      .thenRejected('price_changed'));
  it('is rejected where prices have changed, also if the total is the same', () =>
    given(add('pen'), add('ink'))
      .when(checkOut([offer('pen', { unitPrice: 200 }), offer('ink', { unitPrice: 300 })], { expectedTotal: 500 }))
      .thenRejected('price_changed'));
  it('buys at the prices of today where they are accepted, and records the change of each', () =>
    given(add('pen', 2))
      .when(checkOut(dearer, { acceptChanges: true }))
      .thenEvents(repriced, bought(300)));
  it('buys at the prices of today where the customer was shown their total', () =>
    given(add('pen', 2))
      .when(checkOut(dearer, { acceptChanges: true, expectedTotal: 600 }))
      .thenEvents(repriced, bought(300)));
  it.each([
    ['the total', [offer('pen')], { expectedTotal: 499 }],
    ['the total of today', dearer, { expectedTotal: 500, acceptChanges: true }],
  ])('is rejected where the customer was shown something else than %s', (_total, facts, more) =>
    given(add('pen', 2)).when(checkOut(facts, more)).thenRejected('total_mismatch'),
  );
  it.each([
    ['is not for sale any more', withdrawn('pen'), 'product_unavailable'],
    ['has another currency now', offer('pen', { currency: 'USD' }), 'currency_mismatch'],
    ['has a lower limit now', offer('pen', { maxQuantity: 1 }), 'quantity_limit_exceeded'],
    ['was not looked up', offer('ink'), 'try_again'],
  ])('is rejected where a product %s, also if changes are accepted', (_kind, facts, code) =>
    given(add('pen', 2))
      .when(checkOut([facts], { acceptChanges: true, expectedTotal: 500 }))
      .thenRejected(code),
  );
});

describe('restoreCart', () => {
  const { items, currency } = decideAll([add('pen', 2), add('ink')]).checkpoint.cart;
  const restore = { type: 'restoreCart', version: 2, items, currency };

  it('makes the cart equal to an earlier version, and records the previous lines', () =>
    given(add('pen', 2), add('ink'), { type: 'clearCart' }, add('pad'))
      .when(restore)
      .thenEvents({
        type: 'CartRestored',
        data: {
          restoredVersion: 2,
          items,
          currency: 'EUR',
          previousItems: [{ productId: 'pad', name: 'The pad', unitPrice: 250, quantity: 1 }],
        },
      }));
  it('changes nothing in a cart that is equal already', () =>
    given(add('pen', 2), add('ink'), { type: 'clearCart' }, restore)
      .when({ ...restore, commandId: 'again' })
      .thenEvents());
  it('empties the cart at version 0', () => {
    const { cart } = decideAll([add('pen'), { type: 'restoreCart', version: 0, items: [], currency: null }]).checkpoint;
    expect(cart).toMatchObject({ version: 2, items: [], currency: null });
  });
  it('is rejected for a version that does not exist yet', () =>
    given(add('pen'))
      .when({ ...restore, version: 9 })
      .thenRejected('version_unknown'));
});

describe('changeNote', () => {
  const note = 'Please ring twice.\nThe dog is friendly ❤';
  const change = (changed: string | null) => ({ type: 'changeNote', note: changed });
  const noteAfter = (...commands: { type: string }[]) => decideAll(commands).checkpoint.cart.note;

  it('sets the note, also of an empty cart', () =>
    given()
      .when(change(note))
      .thenEvents({ type: 'NoteChanged', data: { note, previousNote: null } }));
  it('removes it with null', () =>
    given(change(note))
      .when(change(null))
      .thenEvents({ type: 'NoteChanged', data: { note: null, previousNote: note } }));
  it('changes nothing where the note is the same', () => given(change(note)).when(change(note)).thenEvents());
  it('changes nothing where there is none to remove', () => given().when(change(null)).thenEvents());
  it('is kept by a cart that is cleared', () =>
    expect(noteAfter(change(note), add('pen'), { type: 'clearCart' })).toBe(note));
  it('is recorded with what was bought, and the next purchase has none', () => {
    given(change(note), add('pen'))
      .when({ type: 'checkOut' })
      .thenEvents({ type: 'CartCheckedOut', data: expect.objectContaining({ subtotal: 250, note }) });
    expect(noteAfter(change(note), add('pen'), { type: 'checkOut' })).toBeUndefined();
  });

  const restore = (restored?: string | null) => ({
    ...{ type: 'restoreCart', version: 0, items: [], currency: null },
    note: restored,
  });
  it('is restored with the lines, or alone', () => {
    given(change(note), add('pen'))
      .when(restore(null))
      .thenEvents({ type: 'CartRestored', data: expect.objectContaining({ note: null, previousNote: note }) });
    given(change('earlier'))
      .when(restore(note))
      .thenEvents({ type: 'CartRestored', data: expect.objectContaining({ note, previousNote: 'earlier' }) });
    given(change(note)).when(restore(note)).thenEvents();
  });
  it('stays where a restore of before notes says nothing of it', () =>
    expect(noteAfter(change(note), add('pen'), restore())).toBe(note));
});

describe('every command', () => {
  it('is rejected when the cart is not at the expected version', () =>
    given(add('pen')).when({ type: 'clearCart', expectedVersion: 0 }).thenRejected('version_mismatch'));
  it('is rejected when the cart is at none of the expected versions', () =>
    given(add('pen'))
      .when({ type: 'clearCart', expectedVersions: [0, 2] })
      .thenRejected('version_mismatch'));
  it('is applied when the cart is at one of the expected versions', () =>
    given(add('pen'))
      .when({ type: 'removeItem', productId: 'pen', expectedVersions: [0, 1] })
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 1 } }));
  it('is applied when the cart is at the expected version', () =>
    given(add('pen'))
      .when({ type: 'removeItem', productId: 'pen', expectedVersion: 1 })
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 1 } }));
});

describe('a cart', () => {
  it('keeps lines in the order in which they were first added', () => {
    const { cart } = decideAll([
      add('b'),
      add('a'),
      add('b'),
      { type: 'removeItem', productId: 'b' },
      add('b'),
    ]).checkpoint;
    expect(cart.items.map((item) => item.productId)).toEqual(['a', 'b']);
  });
  it('sums its largest possible content exactly', () => {
    const commands = Array.from({ length: limits.linesPerCart }, (_, index) =>
      add(`p${index}`, limits.quantityPerProduct, { unitPrice: limits.unitPrice }),
    );
    const { items } = decideAll(commands).checkpoint.cart;
    expect(BigInt(subtotalOf(items))).toBe(100n * 999n * BigInt(limits.unitPrice));
    expect(Number.isSafeInteger(subtotalOf(items))).toBe(true);
    expect(itemCountOf(items)).toBe(99_900);
  });
  it('is open while it has lines', () => {
    expect(statusOf(decideAll([]).checkpoint.cart)).toBe('empty');
    expect(statusOf(decideAll([add('pen')]).checkpoint.cart)).toBe('open');
  });
});
