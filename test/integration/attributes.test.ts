import { randomUUID } from 'node:crypto';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { verifyUser } from '../../src/recovery/verify-all';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };
const engraved = { size: 'L', engraving: 'Für Anna ❤' };

/** A product that only the test uses, and the cart of one user. */
async function offer() {
  const user = newUser();
  const productId = `p-${randomUUID()}`;
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = wait) =>
    world.request(method, `/carts/${user}${path}`, body, headers);
  const put = (change: object) =>
    world.request('PUT', `/products/${productId}`, { name: 'Ring', unitPrice: 500, currency: 'EUR', ...change });
  await put({});
  const add = async (attributes?: object, quantity = 1) => {
    const { status, body } = await send('POST', '/items', { productId, quantity, attributes });
    expect(status).toBe(200);
    return body.items as { lineId: string; quantity: number; attributes?: object }[];
  };
  return { user, productId, send, put, add };
}

describe('a line with attributes', () => {
  it('is a line of its own, with an id that names it in the path', async () => {
    const { add, productId, send } = await offer();
    await add();
    await add(engraved, 2);
    const items = await add({ engraving: engraved.engraving, size: 'L' }, 3);
    expect(items).toMatchObject([
      { lineId: productId, productId, quantity: 1 },
      { productId, quantity: 5, attributes: engraved },
    ]);
    expect(items[0]).not.toHaveProperty('attributes');
    const { lineId } = items[1]!;
    const changed = await send('PUT', `/items/${lineId}`, { quantity: 4 });
    expect(changed.body.items.map(({ quantity }: { quantity: number }) => quantity)).toEqual([1, 4]);
    const removed = await send('DELETE', `/items/${lineId}`);
    expect(removed.body).toMatchObject({ itemCount: 1, items: [{ lineId: productId }] });
  });

  it('is shown with them at every version, in the timeline and in differences', async () => {
    const { add, productId, send } = await offer();
    await add(engraved);
    const { lineId } = (await add(engraved, 2))[0]!;
    await send('DELETE', '/items');
    const identity = { lineId, productId, attributes: engraved };
    expect((await send('GET', '?version=2')).body.items).toMatchObject([{ ...identity, quantity: 3 }]);
    const { events } = (await send('GET', '/events')).body;
    expect(events[1]).toMatchObject({ before: [{ ...identity, quantity: 1 }], after: [{ ...identity, quantity: 3 }] });
    expect(events[2].data.items).toMatchObject([{ ...identity, quantity: 3 }]);
    expect((await send('GET', `/events?productId=${productId}`)).body.events).toHaveLength(3);
    const { items } = (await send('GET', '/diff?from=1&to=3')).body;
    expect(items).toEqual([
      { ...identity, name: 'Ring', change: 'removed', before: { quantity: 1, unitPrice: 500 }, after: null },
    ]);
  });

  it('has the warnings of its product, is restored, and is sold as it is', async () => {
    const { add, productId, put, send } = await offer();
    await add(engraved);
    await add();
    await put({ unitPrice: 700 });
    const { body } = await send('GET', '');
    const warnings = [{ code: 'price_changed', unitPrice: 700 }];
    expect(body.items).toMatchObject([
      { attributes: engraved, warnings },
      { lineId: productId, warnings },
    ]);
    await send('DELETE', '/items');
    await send('POST', '/restore', { version: 2 });
    const sold = await send('POST', '/checkout', { acceptChanges: true, expectedTotal: 1_400 });
    expect(sold.status).toBe(200);
    const { events } = (await send('GET', '/events?type=CartCheckedOut')).body;
    expect(events[0].data.items).toMatchObject([{ attributes: engraved, unitPrice: 700 }, { unitPrice: 700 }]);
  });

  it('counts for the limit of its product together with its other lines, in warnings and at checkout', async () => {
    const { add, put, send } = await offer();
    await add(engraved, 3);
    await add({ size: 'M' }, 3);
    const warnings = async () =>
      (await send('GET', '')).body.items.map((item: { warnings?: object[] }) => item.warnings ?? []);
    await put({ maxQuantity: 6 });
    expect(await warnings()).toEqual([[], []]);
    await put({ maxQuantity: 5 });
    const warning = { code: 'quantity_limit_exceeded', maxQuantity: 5 };
    expect(await warnings()).toEqual([[warning], [warning]]);
    expect(await send('POST', '/checkout')).toMatchObject({ status: 422, body: { code: 'quantity_limit_exceeded' } });
  });

  it('is another request under the same key', async () => {
    const { productId, send } = await offer();
    const headers = { ...wait, 'Idempotency-Key': randomUUID() };
    const ask = (attributes: object) => send('POST', '/items', { productId, attributes }, headers);
    expect((await ask(engraved)).status).toBe(200);
    const again = await ask({ engraving: engraved.engraving, size: 'L' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await ask({ size: 'M' })).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('can be added, changed and removed in a batch', async () => {
    const { add, productId, send } = await offer();
    const { lineId } = (await add(engraved))[0]!;
    const commands = [
      { type: 'addItem', productId, attributes: { size: 'M' } },
      { type: 'changeItemQuantity', lineId, quantity: 3 },
      { type: 'addItem', productId, attributes: { size: 'S' } },
    ];
    const { body } = await send('POST', '/commands', { commands, atomic: true });
    expect(body.cart.items).toMatchObject([
      { attributes: engraved, quantity: 3 },
      { attributes: { size: 'M' } },
      { attributes: { size: 'S' } },
    ]);
    const removal = await send('POST', '/commands', { commands: [{ type: 'removeItem', lineId }] });
    expect(removal.body.cart.items).toHaveLength(2);
  });

  it('is verified against the histories, and rebuilt without a difference', async () => {
    const { add, send, user } = await offer();
    await add(engraved);
    await add({ size: 'M' }, 3);
    await add();
    await send('DELETE', `/items/${(await add(engraved))[0]!.lineId}`);
    expect((await verifyUser({ client: world.client, db: world.db }, user)).findings).toEqual([]);
    expect(await rebuildCart(world.db, user)).toMatchObject({ differed: [] });
  });
});
