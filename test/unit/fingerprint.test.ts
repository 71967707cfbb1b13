import fc from 'fast-check';
import { fingerprintOf } from '../../src/domain/fingerprint';

const add = { type: 'addItem', data: { productId: 'pen', quantity: 1, name: 'Pen', unitPrice: 250, currency: 'EUR' } };

describe('the fingerprint of a command', () => {
  it.each([
    ['type', { ...add, type: 'changeItemQuantity' }],
    ['product', { ...add, data: { ...add.data, productId: 'ink' } }],
    ['quantity', { ...add, data: { ...add.data, quantity: 2 } }],
    ['expected version', { ...add, expectedVersion: 0 }],
    ['list of expected versions', { ...add, data: { ...add.data, expectedVersions: [0, 1] } }],
    ['shape', { ...add, data: { payload: 'unreadable' } }],
  ])('is another one for another %s', (_field, other) => {
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(add));
  });

  it('does not cover what the command side looked up', () => {
    expect(fingerprintOf({ ...add, data: { ...add.data, name: 'Pencil', unitPrice: 1, maxQuantity: 3 } })).toBe(
      fingerprintOf(add),
    );
    const restore = { type: 'restoreCart', data: { version: 3, items: [add.data], currency: 'EUR' } };
    expect(fingerprintOf({ ...restore, data: { version: 3 } })).toBe(fingerprintOf(restore));
  });

  it('of a checkout covers what the customer was shown and accepted, and not the facts', () => {
    const checkOut = (data: object) => fingerprintOf({ type: 'checkOut', data: { ...data } });
    const asked = [{}, { expectedTotal: 5 }, { expectedTotal: 6 }, { acceptChanges: true }];
    expect(new Set(asked.map(checkOut)).size).toBe(4);
    expect(checkOut({ facts: [] })).toBe(checkOut({}));
  });

  it('of a checkout is what it was before there were more fields', () => {
    expect(fingerprintOf({ type: 'checkOut', data: {} })).toBe('1fzsedu.10h026t');
  });

  it('is another one for each of 100,000 requests', () => {
    const seen = new Set<string>();
    for (let n = 0; n < 100_000; n += 1) {
      seen.add(
        fingerprintOf({ type: 'addItem', data: { productId: `p${n % 1_000}`, quantity: 1 + Math.floor(n / 1_000) } }),
      );
    }
    expect(seen.size).toBe(100_000);
  });

  it('is short, and never looks like a marked reuse, whatever the command is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (type, payload) => {
        expect(fingerprintOf({ type, data: { payload } })).toMatch(/^[0-9a-z]{1,7}\.[0-9a-z]{1,7}$/);
      }),
    );
  });
});
