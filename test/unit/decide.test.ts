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
      thenRefused(code: string) {
        expect(decision).toMatchObject({ outcome: 'rejected', code, events: [] });
        expect(decision).toHaveProperty('reason', expect.stringMatching(/\.$/));
        expect(checkpoint.cart).toEqual(before.checkpoint.cart);
      },
    };
  },
});

const pen = { productId: 'pen', name: 'The pen', unitPrice: 250, currency: 'EUR' };

describe('addItem', () => {
  it('puts a product into the cart with its price and name', () =>
    given()
      .when(add('pen', 2))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 2, previousQuantity: 0 } }));

  it('adds to what is there', () =>
    given(add('pen', 2))
      .when(add('pen', 3))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 5, previousQuantity: 2 } }));

  it('keeps the price and name a line was first added at', () =>
    given(add('pen'))
      .when(add('pen', 1, { unitPrice: 900, name: 'Dearer pen' }))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: 2, previousQuantity: 1 } }));

  it('takes a line up to its limit', () =>
    given(add('pen', limits.quantityPerLine - 1))
      .when(add('pen'))
      .thenEvents({ type: 'ItemAdded', data: { ...pen, quantity: limits.quantityPerLine, previousQuantity: 998 } }));

  it('is refused as a whole where it would pass the limit of a line', () =>
    given(add('pen', 998)).when(add('pen', 2)).thenRefused('quantity_limit_exceeded'));

  it("is refused where it would pass the product's own limit", () =>
    given(add('pen', 2))
      .when(add('pen', 2, { maxQuantity: 3 }))
      .thenRefused('quantity_limit_exceeded'));

  it('is refused when the cart has all the lines it may have', () =>
    given(...Array.from({ length: limits.linesPerCart }, (_, index) => add(`p${index}`)))
      .when(add('one-more'))
      .thenRefused('line_limit_exceeded'));

  it('adds to a line of a full cart', () =>
    given(...Array.from({ length: limits.linesPerCart }, (_, index) => add(`p${index}`)))
      .when(add('p7'))
      .thenEvents({
        type: 'ItemAdded',
        data: { ...pen, productId: 'p7', name: 'The p7', quantity: 2, previousQuantity: 1 },
      }));

  it('is refused in another currency than the cart has', () =>
    given(add('pen'))
      .when(add('ink', 1, { currency: 'USD' }))
      .thenRefused('currency_mismatch'));

  it('takes any currency again once the cart is empty', () =>
    given(add('pen'), { type: 'removeItem', productId: 'pen' })
      .when(add('ink', 1, { currency: 'USD' }))
      .thenEvents({
        type: 'ItemAdded',
        data: { productId: 'ink', name: 'The ink', unitPrice: 250, currency: 'USD', quantity: 1, previousQuantity: 0 },
      }));
});

describe('changeItemQuantity', () => {
  const change = (quantity: number, more = {}) => ({ type: 'changeItemQuantity', productId: 'pen', quantity, ...more });

  it('makes the quantity what is given', () =>
    given(add('pen', 2))
      .when(change(7))
      .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 7, previousQuantity: 2 } }));

  it('removes the line at 0', () =>
    given(add('pen', 2))
      .when(change(0))
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 2 } }));

  it('changes nothing where the quantity is that already', () => given(add('pen', 2)).when(change(2)).thenEvents());
  it('changes nothing where it removes what is not there', () => given().when(change(0)).thenEvents());
  it('is refused for a product that is not in the cart', () => given().when(change(1)).thenRefused('item_not_in_cart'));
  it('is refused above the limit of a line', () =>
    given(add('pen')).when(change(1_000)).thenRefused('quantity_limit_exceeded'));
  it('lowers a line that is above a limit set later', () =>
    given(add('pen', 9))
      .when(change(5, { maxQuantity: 3 }))
      .thenEvents({ type: 'ItemQuantityChanged', data: { productId: 'pen', quantity: 5, previousQuantity: 9 } }));
});

describe('removeItem', () => {
  it('takes the line out', () =>
    given(add('pen', 2))
      .when({ type: 'removeItem', productId: 'pen' })
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 2 } }));
  it('changes nothing where the product is not in the cart', () =>
    given(add('pen')).when({ type: 'removeItem', productId: 'ink' }).thenEvents());
});

describe('clearCart', () => {
  it('takes everything out and tells what it was', () =>
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
  it('empties the cart and keeps what was bought', () =>
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
  it('leaves a cart one can go on with', () => {
    const { cart } = decideAll([add('pen'), { type: 'checkOut' }, add('ink')]).checkpoint;
    expect(cart.items.map((item) => item.productId)).toEqual(['ink']);
    expect(cart.version).toBe(3);
  });
  it('is refused for an empty cart', () => given().when({ type: 'checkOut' }).thenRefused('cart_empty'));
});

describe('restoreCart', () => {
  const { items, currency } = decideAll([add('pen', 2), add('ink')]).checkpoint.cart;
  const restore = { type: 'restoreCart', version: 2, items, currency };

  it('makes the cart what it was, and tells what it was before', () =>
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
  it('changes nothing in a cart that is so already', () =>
    given(add('pen', 2), add('ink'), { type: 'clearCart' }, restore)
      .when({ ...restore, commandId: 'again' })
      .thenEvents());
  it('empties the cart at version 0', () => {
    const { cart } = decideAll([add('pen'), { type: 'restoreCart', version: 0, items: [], currency: null }]).checkpoint;
    expect(cart).toMatchObject({ version: 2, items: [], currency: null });
  });
  it('is refused for a version that is still to come', () =>
    given(add('pen'))
      .when({ ...restore, version: 9 })
      .thenRefused('version_unknown'));
});

describe('every command', () => {
  it('is refused when the cart is not at the version it expects', () =>
    given(add('pen')).when({ type: 'clearCart', expectedVersion: 0 }).thenRefused('version_mismatch'));
  it('is decided when the cart is at the version it expects', () =>
    given(add('pen'))
      .when({ type: 'removeItem', productId: 'pen', expectedVersion: 1 })
      .thenEvents({ type: 'ItemRemoved', data: { productId: 'pen', quantity: 0, previousQuantity: 1 } }));
});

describe('a cart', () => {
  it('keeps lines in the order they were first added', () => {
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
      add(`p${index}`, limits.quantityPerLine, { unitPrice: limits.unitPrice }),
    );
    const { items } = decideAll(commands).checkpoint.cart;
    expect(BigInt(subtotalOf(items))).toBe(100n * 999n * BigInt(limits.unitPrice));
    expect(Number.isSafeInteger(subtotalOf(items))).toBe(true);
    expect(itemCountOf(items)).toBe(99_900);
  });
  it('is open while anything is in it', () => {
    expect(statusOf(decideAll([]).checkpoint.cart)).toBe('empty');
    expect(statusOf(decideAll([add('pen')]).checkpoint.cart)).toBe('open');
  });
});
