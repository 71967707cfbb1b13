import fc from 'fast-check';
import { parseCommand } from '../../src/contract/parse-command';
import { type Command, isMalformed } from '../../src/domain/commands';
import { isAttributes, isLineId } from '../../src/domain/fields';
import { limits } from '../../src/domain/limits';
import { type Attributes, lineIdOf, lineWith, productOf, toLineRef } from '../../src/domain/lines';
import { identify } from '../../src/domain/record-command';
import { add, decideAll, instant } from '../support/cart-story';

const small = { size: 'S' };
const large = { size: 'L', gift: true, number: 7 };
const shirt = (attributes?: Attributes, quantity = 1, more: object = {}) =>
  add('shirt', quantity, { ...more, ...(attributes === undefined ? {} : { attributes }) });
const idOf = (attributes?: Attributes) => lineIdOf(lineWith('shirt', attributes));

const linesOf = (commands: Parameters<typeof decideAll>[0]) => {
  const { checkpoint, decision } = decideAll(commands);
  const lines = checkpoint.cart.items.map((item) => [lineIdOf(item), item.quantity, item.unitPrice]);
  return { lines, decision, items: checkpoint.cart.items };
};
const codeOf = (commands: Parameters<typeof decideAll>[0]) => linesOf(commands).decision;

const attributes = fc.dictionary(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,9}$/),
  fc.oneof(fc.stringMatching(/^[ -~]{1,10}$/), fc.maxSafeInteger(), fc.boolean()),
  { minKeys: 1, maxKeys: 5, noNullPrototype: true },
);

describe('the id of a line', () => {
  it('is that of its product where nothing was chosen', () => {
    expect(lineWith('shirt', undefined)).toEqual({ productId: 'shirt' });
    expect(idOf()).toBe('shirt');
  });

  it('is the same for the same attributes in any order, and another one for any others', () => {
    fc.assert(
      fc.property(attributes, attributes, (one, other) => {
        const turned = Object.fromEntries(Object.entries(one).reverse());
        expect(idOf(turned)).toBe(idOf(one));
        const isSame = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
        expect(idOf(other) === idOf(one)).toBe(isSame);
      }),
    );
  });

  it('can be written in a path as it is, names the product, and is valid whatever the product is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._~@|:+-]{1,128}$/), attributes, (productId, chosen) => {
        const line = lineWith(productId, chosen);
        expect(isLineId(line.lineId)).toBe(true);
        expect(productOf(lineIdOf(line))).toBe(productId);
        expect(toLineRef(lineIdOf(line))).toEqual({ productId, lineId: line.lineId });
      }),
    );
    expect(encodeURIComponent(idOf(small))).toBe(idOf(small));
  });
});

describe('attributes', () => {
  const full = Object.fromEntries(Array.from({ length: limits.attributesPerLine }, (_, n) => [`a${n}`, true]));
  const longest = 'x'.repeat(limits.attributesLength - JSON.stringify({ a: '' }).length);

  it.each<[string, object]>([
    ['texts, whole numbers and truth values', large],
    ['as many as there can be', full],
    ['as long as they can be', { a: longest }],
    ['any letters', { text: 'Für Anna ❤' }],
  ])('can be %s', (_what, value) => expect(isAttributes(value)).toBe(true));

  it.each<[string, unknown]>([
    ['none', {}],
    ['one too many', { ...full, more: true }],
    ['too long', { a: `${longest}x` }],
    ['a list', ['S']],
    ['nested', { size: { eu: 44 } }],
    ['null', { size: null }],
    ['a fraction', { size: 1.5 }],
    ['an empty text', { size: '' }],
    ['a control character', { text: 'a\nb' }],
    ['half a character', { text: '\ud83d' }],
    ['a name with a blank', { 'a b': 'c' }],
    ['a name of 41 letters', { ['n'.repeat(41)]: 'c' }],
  ])('cannot be %s', (_what, value) => {
    expect(isAttributes(value)).toBe(false);
    const payload = { ...add('shirt'), commandId: 'c', issuedAt: instant(1), actor: 'a', attributes: value };
    expect(parseCommand('addItem', payload)).toHaveProperty('reason', 'not usable: attributes');
  });

  it('are a part of what the client asked for, in any order', () => {
    const fingerprint = (chosen?: object) => {
      const payload = { ...add('shirt'), commandId: 'c', issuedAt: instant(1), actor: 'a', attributes: chosen };
      return identify(parseCommand('addItem', payload) as Command).fingerprint;
    };
    expect(fingerprint({ gift: true, size: 'L' })).toBe(fingerprint({ size: 'L', gift: true }));
    expect(new Set([fingerprint(), fingerprint(small), fingerprint(large)]).size).toBe(3);
  });
});

describe('lines of one product with different attributes', () => {
  it('stand beside each other, each with its quantity', () => {
    const { lines, items } = linesOf([shirt(), shirt(small, 2), shirt(large, 3), shirt(small, 4)]);
    expect(lines).toEqual([
      ['shirt', 1, 250],
      [idOf(small), 6, 250],
      [idOf(large), 3, 250],
    ]);
    expect(items[1]).toMatchObject({ productId: 'shirt', attributes: small, name: 'The shirt' });
    expect(items[0]).not.toHaveProperty('attributes');
  });

  it('are changed and removed one by one', () => {
    const both = [shirt(small, 2), shirt(large, 3)];
    const line = { productId: 'shirt', lineId: idOf(small) };
    const facts = [{ productId: 'shirt', available: true, unitPrice: 250, currency: 'EUR' }];
    expect(linesOf([...both, { type: 'changeItemQuantity', ...line, quantity: 5, facts }]).lines).toEqual([
      [idOf(small), 5, 250],
      [idOf(large), 3, 250],
    ]);
    for (const removal of [
      { type: 'removeItem', ...line },
      { type: 'changeItemQuantity', ...line, quantity: 0 },
    ]) {
      const { lines, decision } = linesOf([...both, removal]);
      expect(lines).toEqual([[idOf(large), 3, 250]]);
      expect(decision?.events[0]).toMatchObject({ type: 'ItemRemoved', data: { ...line, previousQuantity: 2 } });
    }
    const other = { type: 'changeItemQuantity', productId: 'shirt', quantity: 1, facts };
    expect(codeOf([...both, other])).toMatchObject({ code: 'item_not_in_cart' });
  });

  it('share the limit of their product', () => {
    const limited = { maxQuantity: 4 };
    const three = [shirt(small, 2, limited), shirt(large, 1, limited)];
    expect(codeOf([...three, shirt(large, 2, limited)])).toMatchObject({ code: 'quantity_limit_exceeded' });
    expect(codeOf([...three, shirt(undefined, 2, limited)])).toHaveProperty(
      'reason',
      'A cart holds at most 4 of shirt; this would make 5.',
    );
    expect(codeOf([...three, shirt(undefined, 1, limited)])).toMatchObject({ outcome: 'applied' });
    const facts = [{ productId: 'shirt', available: true, unitPrice: 250, currency: 'EUR', maxQuantity: 4 }];
    const raise = { type: 'changeItemQuantity', productId: 'shirt', lineId: idOf(small), quantity: 4, facts };
    expect(codeOf([...three, raise])).toMatchObject({ code: 'quantity_limit_exceeded' });
    expect(codeOf([...three, { ...raise, quantity: 3 }])).toMatchObject({ outcome: 'applied' });
  });

  it('are priced anew together when a checkout accepts the price of today', () => {
    const facts = [{ productId: 'shirt', available: true, unitPrice: 300, currency: 'EUR' }];
    const { decision } = linesOf([
      shirt(small, 2),
      shirt(large, 1),
      { type: 'checkOut', facts, acceptChanges: true, expectedTotal: 900 },
    ]);
    expect(decision?.events.map(({ type, data }) => [type, 'productId' in data && lineIdOf(data)])).toEqual([
      ['ItemRepriced', idOf(small)],
      ['ItemRepriced', idOf(large)],
      ['CartCheckedOut', false],
    ]);
    expect(decision?.events.at(-1)?.data).toMatchObject({ subtotal: 900, items: [{ attributes: small }, {}] });
  });

  it('come back with a restore', () => {
    const before = decideAll([shirt(small, 2), shirt(large)]).checkpoint.cart;
    const restore = { type: 'restoreCart', version: 2, items: before.items, currency: 'EUR' };
    const { items } = linesOf([shirt(small, 2), shirt(large), { type: 'clearCart' }, restore]);
    expect(items).toEqual(before.items);
  });

  it('come with a guest, line by line, up to the limit of all lines of the product', () => {
    const guest = decideAll([shirt(small, 2), shirt(large, 500)]).checkpoint.cart;
    const merge = { type: 'mergeCart', from: 'guest:1', strategy: 'sum', items: guest.items, currency: 'EUR' };
    const { lines, decision } = linesOf([shirt(undefined, 400), shirt(small, 3), merge]);
    expect(lines).toEqual([
      ['shirt', 400, 250],
      [idOf(small), 5, 250],
      [idOf(large), 500, 250],
    ]);
    expect(decision?.events[0]?.data).toMatchObject({ leftOut: [] });
    const full = linesOf([shirt(undefined, 600), shirt(small, 3), merge]);
    expect(full.lines.at(-1)).toEqual([idOf(large), 394, 250]);
    expect(full.decision?.events[0]?.data).toMatchObject({
      leftOut: [{ lineId: idOf(large), quantity: 106, code: 'quantity_limit_exceeded' }],
    });
  });
});

it.each([
  ['another id than its attributes give', { lineId: 'shirt!1.1', attributes: small }],
  ['an id without attributes', { lineId: idOf(small) }],
  ['attributes without an id', { attributes: small }],
])('a line that has %s cannot be restored', (_what, wrong) => {
  const [item] = decideAll([shirt()]).checkpoint.cart.items;
  const items = [{ ...item, ...wrong }];
  const payload = { commandId: 'c', issuedAt: instant(1), actor: 'a', version: 1, items, currency: 'EUR' };
  expect(isMalformed(parseCommand('restoreCart', payload))).toBe(true);
});
