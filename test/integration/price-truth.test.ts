import { randomUUID } from 'node:crypto';
import type { CartView } from '../../src/http/shapes';
import { verifyUser } from '../../src/recovery/verify-all';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };

/** A product that only the test uses, and what it does with it in the cart of one user. */
async function offer(unitPrice = 500) {
  const user = newUser();
  const productId = `p-${randomUUID()}`;
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = wait) =>
    world.request(method, `/carts/${user}${path}`, body, headers);
  const put = (change: object) =>
    world.request('PUT', `/products/${productId}`, { name: 'Lamp', unitPrice, currency: 'EUR', ...change });
  const lines = async () => ((await send('GET', '')).body as CartView).items;
  await put({});
  return {
    user,
    productId,
    send,
    put,
    add: (quantity = 2) => send('POST', '/items', { productId, quantity }),
    warnings: async () => (await lines()).map(({ warnings }) => warnings),
    lastEvents: async (count: number) =>
      (await send('GET', '/events')).body.events.slice(-count).map(({ type, data }: never) => ({ type, data })),
  };
}

describe('a line', () => {
  it.each([
    ['a new price', { unitPrice: 900 }, { code: 'price_changed', unitPrice: 900 }],
    ['another currency', { currency: 'USD' }, { code: 'currency_changed', currency: 'USD', unitPrice: 500 }],
    ['a lower limit', { maxQuantity: 1 }, { code: 'quantity_limit_exceeded', maxQuantity: 1 }],
    ['been withdrawn from sale', { available: false }, { code: 'product_unavailable' }],
  ])('has a warning while its product has %s, and the ETag says so', async (_what, change, warning) => {
    const { add, put, send, warnings } = await offer();
    const before = await add();
    expect(before.headers.get('etag')).toBe('"1"');
    expect(await warnings()).toEqual([undefined]);
    await put(change);
    const since = await send('GET', '', undefined, { 'If-None-Match': '"1"' });
    expect(since).toMatchObject({ status: 200, body: { version: 1, subtotal: 1_000 } });
    expect(since.body.items[0].warnings).toEqual([warning]);
    const etag = since.headers.get('etag')!;
    expect(etag).toMatch(/^"1\.[\w-]{12}"$/);
    expect((await send('GET', '', undefined, { 'If-None-Match': etag })).status).toBe(304);
    await put({});
    expect((await send('GET', '')).headers.get('etag')).toBe('"1"');
  });

  it('has a warning when its product is not in the catalogue any more', async () => {
    const { add, productId, warnings } = await offer();
    await add();
    await world.db('products').where({ product_id: productId }).delete();
    expect(await warnings()).toEqual([[{ code: 'product_unavailable' }]]);
  });

  it('has no warning in the past', async () => {
    const { add, put, send } = await offer();
    const { body } = await add();
    await put({ unitPrice: 900 });
    const past = await send('GET', '?version=1');
    expect(past.body).toEqual(body);
    expect(past.headers.get('etag')).toBe('"1"');
  });
});

it('If-Match compares the version of an ETag with warnings', async () => {
  const { add, put, send } = await offer();
  await add();
  await put({ unitPrice: 900 });
  const etag = (await send('GET', '')).headers.get('etag')!;
  const remove = () => send('DELETE', '/items', undefined, { ...wait, 'If-Match': etag });
  expect((await remove()).status).toBe(200);
  expect(await remove()).toMatchObject({ status: 412, body: { code: 'version_mismatch' } });
});

describe('a checkout', () => {
  it('buys at the price that the customer was shown, or not at all', async () => {
    const { add, put, send, productId, lastEvents } = await offer();
    await add();
    await put({ unitPrice: 900 });
    const buy = (body?: object) => send('POST', '/checkout', body);
    expect(await buy()).toMatchObject({ status: 409, body: { code: 'price_changed' } });
    expect(await buy({ expectedTotal: 1_000 })).toMatchObject({ status: 409, body: { code: 'price_changed' } });
    const unseen = { expectedTotal: 1_000, acceptChanges: true };
    expect(await buy(unseen)).toMatchObject({ status: 409, body: { code: 'total_mismatch' } });
    expect(await buy({ expectedTotal: 1_800, acceptChanges: true })).toMatchObject({
      status: 200,
      body: { version: 3, status: 'empty' },
    });
    expect(await lastEvents(2)).toEqual([
      { type: 'ItemRepriced', data: { productId, unitPrice: 900, previousUnitPrice: 500 } },
      {
        type: 'CartCheckedOut',
        data: { items: [{ productId, name: 'Lamp', unitPrice: 900, quantity: 2 }], currency: 'EUR', subtotal: 1_800 },
      },
    ]);
    const [repriced] = (await send('GET', '/events?type=ItemRepriced')).body.events;
    expect([repriced.before, repriced.after]).toMatchObject([[{ unitPrice: 500 }], [{ unitPrice: 900 }]]);
    expect((await send('GET', '?version=2')).body).toMatchObject({ subtotal: 1_800, items: [{ unitPrice: 900 }] });
  });

  it.each([
    ['a withdrawn product', { available: false }, 422, 'product_unavailable'],
    ['a product in another currency', { currency: 'USD' }, 422, 'currency_mismatch'],
    ['more than the limit of today', { maxQuantity: 1 }, 422, 'quantity_limit_exceeded'],
  ])('never buys %s', async (_what, change, status, code) => {
    const { add, put, send } = await offer();
    await add();
    await put(change);
    const accepted = await send('POST', '/checkout', { acceptChanges: true });
    expect(accepted).toMatchObject({ status, body: { code } });
    expect((await send('GET', '')).body).toMatchObject({ version: 1, itemCount: 2 });
  });

  it('buys nothing withdrawn that was restored', async () => {
    const { add, put, send, warnings } = await offer();
    await add(10);
    await send('DELETE', '/items');
    await put({ unitPrice: 900, available: false });
    expect((await send('POST', '/restore', { version: 1 })).body).toMatchObject({ version: 3, itemCount: 10 });
    expect(await warnings()).toEqual([[{ code: 'product_unavailable' }]]);
    const rejected = { status: 422, body: { code: 'product_unavailable' } };
    expect(await send('POST', '/checkout', { expectedTotal: 5_000 })).toMatchObject(rejected);
    expect(await send('POST', '/checkout', { acceptChanges: true })).toMatchObject(rejected);
  });

  it('buys what commands before it added, though nobody waited for those', async () => {
    const { productId, send, lastEvents } = await offer();
    await send('POST', '/items', { productId }, {});
    expect(await send('POST', '/checkout')).toMatchObject({ status: 200, body: { version: 2, status: 'empty' } });
    expect((await lastEvents(1))[0].data.subtotal).toBe(500);
  });

  it('that is signalled by hand, without what the catalogue says, buys nothing', async () => {
    const { user, add, send } = await offer();
    await add();
    const signal = { commandId: 'by-hand', issuedAt: new Date().toISOString(), actor: 'operator:bob' };
    await world.signal(user, 'checkOut', signal);
    const outcome = await until('it has its outcome', async () => {
      const { status, body } = await send('GET', '/commands/by-hand');
      return status === 200 && body;
    });
    expect(outcome).toMatchObject({ status: 'rejected', code: 'try_again' });
    expect((await verifyUser({ client: world.client, db: world.db }, user)).findings).toEqual([]);
  });

  it('has the first outcome again where it is repeated, and is another request with another total', async () => {
    const { add, put, send } = await offer();
    await add();
    const key = { ...wait, 'Idempotency-Key': 'buy' };
    const buy = (expectedTotal: number) => send('POST', '/checkout', { expectedTotal }, key);
    expect((await buy(1_000)).status).toBe(200);
    await put({ unitPrice: 900 });
    expect((await buy(1_000)).headers.get('idempotent-replayed')).toBe('true');
    expect(await buy(1_800)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });
});

describe('the quantity of a line', () => {
  it.each([
    ['was withdrawn', { available: false }, 'product_unavailable'],
    ['has another currency now', { currency: 'USD' }, 'currency_mismatch'],
    ['has a lower limit now', { maxQuantity: 2 }, 'quantity_limit_exceeded'],
  ])('is raised neither by POST nor by PUT where the product %s, and is lowered', async (_what, change, code) => {
    const { add, put, send, productId } = await offer();
    await add();
    await put(change);
    expect(await add(1)).toMatchObject({ status: 422, body: { code } });
    expect(await send('PUT', `/items/${productId}`, { quantity: 3 })).toMatchObject({ status: 422, body: { code } });
    expect((await send('PUT', `/items/${productId}`, { quantity: 1 })).body).toMatchObject({ itemCount: 1 });
    expect((await send('DELETE', `/items/${productId}`)).body).toMatchObject({ itemCount: 0 });
  });
});
