/** One command of the story. The recorder adds the envelope. */
export interface Step {
  readonly user: string;
  readonly type: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The id of an earlier command of this user, which the client repeats. */
  readonly commandId?: string;
  /** The workflow no longer remembers earlier command ids, as after very many commands. */
  readonly isForgotten?: boolean;
  /** It is decided in the same millisecond as the step before it. */
  readonly isSameInstant?: boolean;
  /** `restoreCart` alone: the version whose lines the cart gets again. */
  readonly restores?: number;
}

const products = {
  pen: { name: 'Pen', unitPrice: 250, currency: 'EUR' },
  ink: { name: "Ink \\ 30 ml, the writer's", unitPrice: 1_190, currency: 'EUR' },
  pad: { name: 'Pad “A5” — lined', unitPrice: 399, currency: 'EUR' },
  cap: { name: 'Cap', unitPrice: 2_000, currency: 'USD' },
} as const;

const add = (user: string, productId: keyof typeof products, quantity = 1, more: Partial<Step> = {}): Step => ({
  user,
  type: 'addItem',
  fields: { productId, ...products[productId], quantity },
  ...more,
});
const change = (user: string, productId: string, quantity: number, more: Partial<Step> = {}): Step => ({
  user,
  type: 'changeItemQuantity',
  fields: { productId, quantity },
  ...more,
});
const remove = (user: string, productId: string, more: Partial<Step> = {}): Step => ({
  user,
  type: 'removeItem',
  fields: { productId },
  ...more,
});
const clear = (user: string): Step => ({ user, type: 'clearCart' });
const checkOut = (user: string): Step => ({ user, type: 'checkOut' });
const restore = (user: string, version: number): Step => ({ user, type: 'restoreCart', restores: version });

const bob = 'bob|work@example.com';

/** Commands of every type, with every outcome, for carts that end open, empty, bought and never filled. */
export const story: readonly Step[] = [
  add('alice', 'pen', 2, { commandId: 'first-pens' }),
  add('alice', 'ink'),
  change('alice', 'pen', 5, { isSameInstant: true }),
  change('alice', 'pen', 2, { isSameInstant: true }),
  add('alice', 'pen', 2, { commandId: 'first-pens' }),
  remove('alice', 'ink'),
  add('alice', 'cap'),
  add('alice', 'ink', 3),
  remove('alice', 'pad'),
  checkOut('alice'),
  add('alice', 'pad'),
  add('alice', 'pen', 1, { isSameInstant: true }),
  remove('alice', 'pad', { isSameInstant: true }),
  restore('alice', 3),
  change('alice', 'ink', 9),
  restore('alice', 9),
  restore('alice', 99),
  add('alice', 'pen', 2, { commandId: 'first-pens', isForgotten: true }),
  restore('alice', 9),
  add(bob, 'cap', 3),
  clear(bob),
  clear(bob),
  checkOut(bob),
  add(bob, 'pen', 999),
  add(bob, 'pen'),
  change(bob, 'ink', 2),
  add(bob, 'pad'),
  { user: bob, type: 'addItem', fields: { productId: 'pen', quantity: 'many' } },
  { user: 'carol', type: 'emptyTheShop', fields: { reason: 'closing' } },
  checkOut('carol'),
  { user: 'dave', type: 'addItem', fields: { productId: 'pen', ...products.pen, quantity: 1, expectedVersion: 7 } },
  add('dave', 'pad'),
  { user: 'dave', type: 'removeItem', fields: { productId: 'pad', expectedVersion: 1 } },
  add('erin', 'ink', 4),
  checkOut('erin'),
];

/** The catalogue at the end of the story. */
export const catalogue = Object.entries(products).map(([productId, { name, unitPrice, currency }]) => ({
  product_id: productId,
  name,
  unit_price: unitPrice,
  currency,
}));
