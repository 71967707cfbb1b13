import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };

describe('the cart of a user', () => {
  it('is empty at version 0 when it has no events', async () => {
    const user = newUser();
    const answer = await world.request('GET', `/carts/${user}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      userId: user,
      version: 0,
      status: 'empty',
      currency: null,
      note: null,
      itemCount: 0,
      subtotal: 0,
      updatedAt: null,
      items: [],
    });
  });

  it('is answered 304 when it has not changed', async () => {
    const user = newUser();
    const { headers } = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    const etag = headers.get('etag')!;
    const fresh = await world.request('GET', `/carts/${user}`, undefined, { 'If-None-Match': etag });
    expect(fresh).toMatchObject({ status: 304, body: undefined });
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    const stale = await world.request('GET', `/carts/${user}`, undefined, { 'If-None-Match': etag });
    expect(stale).toMatchObject({ status: 200, body: { version: 2 } });
  });

  it('is returned after a wait for its minVersion', async () => {
    const user = newUser();
    const reading = world.request('GET', `/carts/${user}?minVersion=1`);
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' });
    expect(await reading).toMatchObject({ status: 200, body: { version: 1 } });
  });
});

describe('the timeline', () => {
  it('contains every event, oldest first, in pages that link to the next page', async () => {
    const user = newUser();
    for (let round = 0; round < 5; round += 1)
      await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    const seen: number[] = [];
    let next: string | undefined = `/carts/${user}/events?limit=2`;
    while (next) {
      const { body, headers } = await world.request('GET', next);
      for (const event of body.events) seen.push(event.version);
      expect(headers.get('link')).toBe(body.next ? `<${body.next}>; rel="next"` : null);
      next = body.next;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    const { body } = await world.request('GET', `/carts/${user}/events?after=4`);
    expect(body.events).toEqual([
      {
        version: 5,
        type: 'ItemAdded',
        occurredAt: expect.any(String),
        commandId: expect.any(String),
        actor: `user:${user}`,
        data: { productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', quantity: 5, previousQuantity: 4 },
        sequence: 5,
        command: 'addItem',
        issuedAt: expect.any(String),
        runId: expect.any(String),
        before: [{ lineId: 'pen', productId: 'pen', name: 'Pen', unitPrice: 250, quantity: 4 }],
        after: [{ lineId: 'pen', productId: 'pen', name: 'Pen', unitPrice: 250, quantity: 5 }],
      },
    ]);
  });
});

describe('the catalogue', () => {
  it('is listed in pages', async () => {
    const first = await world.request('GET', '/products?limit=2');
    expect(first.body.products.map((product: { productId: string }) => product.productId)).toEqual(['cap', 'gone']);
    const second = await world.request('GET', first.body.next);
    expect(second.body.products[0]).toEqual({
      productId: 'ink',
      name: 'Ink, 30 ml',
      unitPrice: 1_190,
      currency: 'EUR',
      available: true,
    });
  });

  it('answers 404 for a product it does not have', async () => {
    expect(await world.request('GET', '/products/nothing')).toMatchObject({
      status: 404,
      body: { code: 'product_unknown' },
    });
  });
});

describe('the readiness check', () => {
  it('reports each part', async () => {
    expect(await world.request('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: { temporal: 'ok', postgres: 'ok' } },
    });
    expect((await world.request('GET', '/livez')).status).toBe(200);
  });
});
