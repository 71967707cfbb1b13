import type { CartView, CommandAsk, Entry, LineView, Outcome } from '../../torture/check/types';

/** The instant of a version. */
export const occurredAt = (version: number) => `2030-01-01T00:00:0${version}.000Z`;

const pens = (quantity: number): LineView => ({
  ...{
    lineId: 'pen',
    productId: 'pen',
    name: 'Pen',
    quantity,
    unitPrice: 250,
    lineTotal: quantity * 250,
    addedAt: occurredAt(1),
  },
});

/** A cart of so many pens. */
export const viewOf = (version: number, quantity: number): CartView => ({
  version,
  status: quantity === 0 ? 'empty' : 'open',
  currency: quantity === 0 ? null : 'EUR',
  note: null,
  itemCount: quantity,
  subtotal: quantity * 250,
  updatedAt: version === 0 ? null : occurredAt(version),
  items: quantity === 0 ? [] : [pens(quantity)],
});

/** What each command of the story asks for. */
export const add: CommandAsk = { kind: 'command', type: 'addItem', productId: 'pen', quantity: 1, waitSeconds: 0 };

/** The n-th command of the story: one pen more. It is decision n and makes version n. */
export const added = (version: number, commandId = `k${version}`): Entry => ({
  ...{ sequence: version, version, type: 'ItemAdded', command: 'addItem', commandId, occurredAt: occurredAt(version) },
  data: {
    ...{ productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR' },
    quantity: version,
    previousQuantity: version - 1,
  },
});

export const applied = (commandId: string, ...versions: number[]): Outcome => ({
  ...{ commandId, type: 'addItem', status: 'applied', versions },
});
