import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=20' };

describe('a command', () => {
  it('is answered 202 with the address of its outcome', async () => {
    const user = newUser();
    const answer = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ commandId: expect.any(String), status: 'accepted' });
    const location = answer.headers.get('location')!;
    expect(location).toBe(`/carts/${user}/commands/${answer.body.commandId}`);
    const outcome = await until('the outcome is known', async () => {
      const found = await world.request('GET', location);
      return found.status === 200 && found.body;
    });
    expect(outcome).toEqual({
      commandId: answer.body.commandId,
      type: 'addItem',
      status: 'applied',
      issuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      decidedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      versions: [1],
    });
  });

  it('is answered 200 with the changed cart for Prefer: wait', async () => {
    const user = newUser();
    const answer = await world.request('POST', `/carts/${user}/items`, { productId: 'ink', quantity: 2 }, wait);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(answer.body).toEqual({
      userId: user,
      version: 1,
      status: 'open',
      currency: 'EUR',
      note: null,
      itemCount: 2,
      subtotal: 2_380,
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      items: [
        {
          lineId: 'ink',
          productId: 'ink',
          name: 'Ink, 30 ml',
          quantity: 2,
          unitPrice: 1_190,
          lineTotal: 2_380,
          addedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      ],
    });
    expect((await world.request('GET', `/carts/${user}`)).body).toEqual(answer.body);
  });

  it('changes the cart as its type says', async () => {
    const user = newUser();
    const send = (method: string, path: string, body?: unknown) =>
      world.request(method, `/carts/${user}${path}`, body, wait);
    const quantities = (answer: { body: { items: { productId: string; quantity: number }[] } }) =>
      answer.body.items.map(({ productId, quantity }) => [productId, quantity]);
    expect(quantities(await send('POST', '/items', { productId: 'pen' }))).toEqual([['pen', 1]]);
    expect(quantities(await send('POST', '/items', { productId: 'ink', quantity: 3 }))).toEqual([
      ['pen', 1],
      ['ink', 3],
    ]);
    expect(quantities(await send('PUT', '/items/pen', { quantity: 7 }))).toEqual([
      ['pen', 7],
      ['ink', 3],
    ]);
    expect(quantities(await send('PUT', '/items/ink', { quantity: 0 }))).toEqual([['pen', 7]]);
    expect(quantities(await send('DELETE', '/items/pen'))).toEqual([]);
    await send('POST', '/items', { productId: 'pad', quantity: 2 });
    expect(quantities(await send('DELETE', '/items'))).toEqual([]);
    await send('POST', '/items', { productId: 'pad', quantity: 2 });
    expect(await send('POST', '/checkout')).toMatchObject({
      status: 200,
      body: { status: 'empty', version: 9, subtotal: 0 },
    });
  });

  it.each([
    ['409 for a checkout of an empty cart', 'POST', '/checkout', undefined, 409, 'cart_empty'],
    [
      '409 for the quantity of a product that is not in the cart',
      'PUT',
      '/items/pen',
      { quantity: 2 },
      409,
      'item_not_in_cart',
    ],
    [
      "422 above the product's limit",
      'POST',
      '/items',
      { productId: 'pad', quantity: 11 },
      422,
      'quantity_limit_exceeded',
    ],
    ['422 for an unknown product', 'POST', '/items', { productId: 'nothing' }, 422, 'product_unknown'],
    ['422 for a product that is not for sale', 'POST', '/items', { productId: 'gone' }, 422, 'product_unavailable'],
  ])('is rejected with %s', async (_title, method, path, body, status, code) => {
    const answer = await world.request(method, `/carts/${newUser()}${path}`, body, wait);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer).toMatchObject({
      status,
      body: { status, code, type: `urn:cart:problem:${code}`, detail: expect.any(String) },
    });
  });

  it('is recorded with code and reason when it is rejected', async () => {
    const user = newUser();
    const rejected = await world.request('POST', `/carts/${user}/checkout`, undefined, {
      ...wait,
      'Idempotency-Key': 'buy',
    });
    expect(rejected.status).toBe(409);
    expect((await world.request('GET', `/carts/${user}/commands/buy`)).body).toMatchObject({
      type: 'checkOut',
      status: 'rejected',
      code: 'cart_empty',
      reason: 'There is nothing in the cart to check out.',
      versions: [],
    });
  });

  it('is applied at the version of If-Match only', async () => {
    const user = newUser();
    const first = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    const etag = first.headers.get('etag')!;
    const put = (headers: Record<string, string>) =>
      world.request('PUT', `/carts/${user}/items/pen`, { quantity: 3 }, { ...wait, ...headers });
    expect((await put({ 'If-Match': etag })).status).toBe(200);
    expect(await put({ 'If-Match': etag })).toMatchObject({ status: 412, body: { code: 'version_mismatch' } });
    expect((await put({ 'If-Match': '*' })).status).toBe(200);
  });

  it('is applied at one of the versions of If-Match, and a repeat with other versions is another request', async () => {
    const user = newUser();
    const add = (headers: Record<string, string>) =>
      world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, { ...wait, ...headers });
    const listed = { 'If-Match': 'W/"0", "none", "7","0"', 'Idempotency-Key': 'only-0-and-7' };
    expect((await add(listed)).status).toBe(200);
    expect((await add(listed)).headers.get('Idempotent-Replayed')).toBe('true');
    expect(await add({ ...listed, 'If-Match': '"7"' })).toMatchObject({ status: 422 });
    expect(await add({ 'If-Match': '"0", "7"' })).toMatchObject({ status: 412, body: { code: 'version_mismatch' } });
    expect((await add({ 'If-Match': '"0", "1"' })).status).toBe(200);
    const [row] = await world.db('cart_commands').where({ user_id: user, command_id: 'only-0-and-7' });
    expect(row.data.expectedVersions).toEqual([7, 0]);
  });

  it.each(['W/"0"', '"none"', '"00"', 'W/"0", "x"'])(
    'is rejected, and not on record, with If-Match: %s',
    async (tag) => {
      const user = newUser();
      const body = { productId: 'pen' };
      expect(await world.request('POST', `/carts/${user}/items`, body, { ...wait, 'If-Match': tag })).toMatchObject({
        status: 412,
        body: { code: 'version_mismatch' },
      });
      expect(await world.db('cart_commands').where({ user_id: user })).toEqual([]);
    },
  );

  it('takes price and name from the catalogue, and a later change does not change the line', async () => {
    const user = newUser();
    const put = (unitPrice: number) =>
      world.request('PUT', '/products/rare', { name: 'Rare', unitPrice, currency: 'EUR' });
    expect((await put(100)).status).toBe(201);
    await world.request('POST', `/carts/${user}/items`, { productId: 'rare' }, wait);
    expect((await put(900)).status).toBe(200);
    const other = await world.request('POST', `/carts/${newUser()}/items`, { productId: 'rare' }, wait);
    expect(other.body.items[0].unitPrice).toBe(900);
    expect((await world.request('GET', `/carts/${user}`)).body.items[0].unitPrice).toBe(100);
    expect((await world.request('GET', '/products/rare')).body.unitPrice).toBe(900);
  });
});

describe('a restore', () => {
  it('makes the cart equal to an earlier version by a new event, and a retry changes nothing', async () => {
    const user = newUser();
    const send = (method: string, path: string, body?: unknown, headers = {}) =>
      world.request(method, `/carts/${user}${path}`, body, { ...wait, ...headers });
    await send('POST', '/items', { productId: 'pen', quantity: 2 });
    const before = await send('POST', '/items', { productId: 'ink' });
    await send('POST', '/checkout');
    await send('POST', '/items', { productId: 'pad' });
    const key = { 'Idempotency-Key': 'undo' };
    const restored = await send('POST', '/restore', { version: 2 }, key);
    expect(restored).toMatchObject({ status: 200, body: { version: 5, items: before.body.items } });
    expect((await send('POST', '/restore', { version: 2 }, key)).body.version).toBe(5);
    expect((await send('POST', '/restore', { version: 2 })).body.version).toBe(5);
    const back = await send('POST', '/restore', { version: 4 });
    expect(back.body).toMatchObject({ version: 6, items: [{ productId: 'pad' }] });
    expect(await send('POST', '/restore', { version: 99 })).toMatchObject({
      status: 404,
      body: { code: 'version_unknown' },
    });
  });
});

describe('the same Idempotency-Key', () => {
  it('is applied once when it is sent ten times in parallel and once more', async () => {
    const user = newUser();
    const send = () =>
      world.request(
        'POST',
        `/carts/${user}/items`,
        { productId: 'pen', quantity: 2 },
        { ...wait, 'Idempotency-Key': 'k' },
      );
    const answers = await Promise.all(Array.from({ length: 10 }, send));
    const again = await send();
    expect([...answers, again].map((answer) => answer.status)).toEqual(Array(11).fill(200));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toMatchObject({ version: 1, itemCount: 2 });
    expect(await world.db('cart_commands').where({ user_id: user })).toHaveLength(1);
  });

  it('is rejected with 422 for another body', async () => {
    const user = newUser();
    const key = { 'Idempotency-Key': '"quoted"', ...wait };
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, key);
    for (const [method, path, body] of [
      ['POST', '/items', { productId: 'pen', quantity: 2 }],
      ['POST', '/items', { productId: 'ink' }],
      ['DELETE', '/items', undefined],
    ] as const) {
      const answer = await world.request(method, `/carts/${user}${path}`, body, key);
      expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused', commandId: 'quoted' } });
    }
    expect((await world.request('GET', `/carts/${user}`)).body.itemCount).toBe(1);
  });

  it('returns a rejection again', async () => {
    const user = newUser();
    const send = () =>
      world.request('POST', `/carts/${user}/checkout`, undefined, { ...wait, 'Idempotency-Key': 'buy' });
    expect((await send()).status).toBe(409);
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    const again = await send();
    expect(again.status).toBe(409);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });
});
