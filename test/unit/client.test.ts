import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CartClientOptions } from '../../client/src/index';
import { CartProblem, createCartClient, NoAnswerError } from '../../client/src/index';

type Step = Response | Error | ((request: Request) => Promise<Response>);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A client whose requests are answered by these steps, one after another, and whose time passes only in its sleep. */
function openClient(steps: readonly Step[], options: Partial<CartClientOptions> = {}) {
  const sent: Sent[] = [];
  const slept: number[] = [];
  let now = Date.parse('2030-01-01T00:00:00Z');
  const left = [...steps];
  const client = createCartClient(
    {
      baseUrl: 'http://shop.example/api',
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        const body = await request.text();
        sent.push({ method: request.method, path: pathname + search, headers: request.headers, body });
        const step = left.shift();
        if (step === undefined) throw new Error(`Nothing answers ${request.method} ${pathname}`);
        if (step instanceof Error) throw step;
        return typeof step === 'function' ? step(request) : step;
      },
      ...options,
    },
    {
      now: () => now,
      random: () => 0.5,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        slept.push(ms);
        now += ms;
      },
    },
  );
  const keys = () => sent.map(({ headers }) => headers.get('Idempotency-Key'));
  return { client, sent, slept, keys };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  json(status, { type: `urn:cart:problem:${code}`, status, code, detail: `It is ${code}.`, ...more }, headers);
const accepted = (headers: Record<string, string> = {}) => json(202, { commandId: 'c', status: 'accepted' }, headers);
const cart = { userId: 'alice', version: 3, status: 'open', itemCount: 2, items: [] };
const outcome = { commandId: 'c', type: 'addItem', status: 'applied', versions: [1] };
const networkFailure = () => new TypeError('fetch failed');
/** Never answers, and fails when the request is aborted, as fetch does. */
const hang = (request: Request) =>
  new Promise<Response>((_, reject) => {
    request.signal.addEventListener('abort', () => reject(request.signal.reason));
  });

const pen = { productId: 'pen' };
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a command', () => {
  it.each([
    ['addItem', 'POST', '/items', { productId: 'pen', quantity: 2 }],
    ['changeItemQuantity', 'PUT', '/items/a%7Cb', { quantity: 0 }],
    ['removeItem', 'DELETE', '/items/a%7Cb', undefined],
    ['clearCart', 'DELETE', '/items', undefined],
    ['checkOut', 'POST', '/checkout', undefined],
    ['restoreCart', 'POST', '/restore', { version: 4 }],
  ] as const)('%s is one request with an id of its own', async (name, method, target, body) => {
    const { client, sent, keys } = openClient([accepted()]);
    const send = {
      addItem: () => client.addItem('a@b', { productId: 'pen', quantity: 2 }),
      changeItemQuantity: () => client.changeItemQuantity('a@b', 'a|b', 0),
      removeItem: () => client.removeItem('a@b', 'a|b'),
      clearCart: () => client.clearCart('a@b'),
      checkOut: () => client.checkOut('a@b'),
      restoreCart: () => client.restoreCart('a@b', 4),
    }[name];
    const answer = await send();
    expect(sent).toEqual([
      expect.objectContaining({
        method,
        path: `/api/carts/a%40b${target}`,
        body: body === undefined ? '' : JSON.stringify(body),
      }),
    ]);
    expect(sent[0]!.headers.get('Content-Type')).toBe(body === undefined ? null : 'application/json');
    expect(keys()[0]).toMatch(uuid);
    expect(answer).toEqual({ status: 'accepted', commandId: keys()[0] });
  });

  it('has the id, the version and the time to wait that the caller gives', async () => {
    const { client, sent } = openClient([json(200, cart)]);
    const answer = await client.addItem('alice', pen, { commandId: 'c-1', ifMatch: [2, 4], waitSeconds: 5 });
    expect(Object.fromEntries(sent[0]!.headers)).toMatchObject({
      'idempotency-key': 'c-1',
      'if-match': '"2","4"',
      prefer: 'wait=5',
    });
    expect(answer).toEqual({ status: 'applied', commandId: 'c-1', cart });
  });

  it('is sent again under the same id after an error of the network, after 429 and after 503', async () => {
    const { client, keys, sent } = openClient([
      networkFailure(),
      problem(503, 'temporal_unavailable'),
      new Response('Slow down.', { status: 429 }),
      accepted(),
    ]);
    const { commandId } = await client.addItem('alice', pen);
    expect(commandId).toMatch(uuid);
    expect(keys()).toEqual([commandId, commandId, commandId, commandId]);
    expect(new Set(sent.map(({ body }) => body))).toEqual(new Set(['{"productId":"pen"}']));
  });

  it('is sent again where the connection ends within the answer', async () => {
    const broken = new Response(
      new ReadableStream({
        start: (controller) => controller.error(new TypeError('terminated')),
      }),
      { status: 202 },
    );
    const { client, keys } = openClient([broken, accepted()]);
    await client.checkOut('alice', { commandId: 'c-1' });
    expect(keys()).toEqual(['c-1', 'c-1']);
  });

  it.each([400, 401, 403, 404, 409, 412, 422, 500, 502, 504])('is not sent again after %s', async (status) => {
    const { client, sent, keys } = openClient([
      problem(status, 'some_code', { errors: [{ path: 'x', message: 'y' }] }),
    ]);
    const error = await errorOf(client.addItem('alice', pen));
    expect(sent).toHaveLength(1);
    expect(error).toBeInstanceOf(CartProblem);
    expect(error).toMatchObject({
      status,
      code: 'some_code',
      detail: 'It is some_code.',
      message: 'It is some_code.',
      errors: [{ path: 'x', message: 'y' }],
      commandId: keys()[0],
    });
  });

  it('fails with its id when its time is over, and with the last problem', async () => {
    const busy = () => problem(503, 'temporal_unavailable', {}, { 'Retry-After': '2' });
    const { client, slept, keys } = openClient(Array.from({ length: 20 }, busy));
    const error = await errorOf(client.addItem('alice', pen, { timeoutMs: 7_000 }));
    expect(error).toMatchObject({ name: 'CartProblem', code: 'temporal_unavailable', commandId: keys()[0] });
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(7_000);
    expect(keys()).toHaveLength(slept.length + 1);
  });

  it('fails with its id when the network fails until its time is over', async () => {
    const { client, keys } = openClient(Array.from({ length: 50 }, networkFailure));
    const error = await errorOf(client.addItem('alice', pen));
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ commandId: keys()[0], cause: { message: 'fetch failed' } });
    expect(keys().length).toBeGreaterThan(5);
  });

  it('is sent again under the same id after an attempt that took too long', async () => {
    const { client, keys } = openClient([hang, accepted()]);
    await client.addItem('alice', pen, { commandId: 'c-1', attemptTimeoutMs: 1 });
    expect(keys()).toEqual(['c-1', 'c-1']);
  });

  it('fails with its id when one attempt takes longer than the time of all', async () => {
    const { client, keys } = openClient([hang]);
    const error = await errorOf(client.addItem('alice', pen, { timeoutMs: 1 }));
    expect(error).toMatchObject({ name: 'NoAnswerError', commandId: keys()[0], cause: { name: 'TimeoutError' } });
  });

  it('fails with its id when it is aborted, also while it waits for the next attempt', async () => {
    for (const step of [hang, problem(503, 'temporal_unavailable')]) {
      const abort = new AbortController();
      const { client, keys } = openClient([
        (request) => {
          queueMicrotask(() => abort.abort(new Error('The page is closed.')));
          return typeof step === 'function' ? step(request) : Promise.resolve(step);
        },
      ]);
      const error = await errorOf(client.addItem('alice', pen, { signal: abort.signal }));
      expect(error).toMatchObject({
        name: 'NoAnswerError',
        commandId: keys()[0],
        cause: { message: 'The page is closed.' },
      });
      expect(keys()).toHaveLength(1);
    }
  });

  it('is not sent when it is aborted before', async () => {
    const { client, sent } = openClient([]);
    expect(await errorOf(client.addItem('alice', pen, { signal: AbortSignal.abort() }))).toBeInstanceOf(NoAnswerError);
    expect(sent).toEqual([]);
  });

  it('is not sent again where the answer is not from the API', async () => {
    const page = (status: number) => new Response('<html>', { status });
    const ofProxy = openClient([page(502)]);
    expect(await errorOf(ofProxy.client.checkOut('alice', { commandId: 'c-1' }))).toMatchObject({
      name: 'CartProblem',
      status: 502,
      code: undefined,
      errors: [],
      commandId: 'c-1',
    });
    const ofPortal = openClient([page(200)]);
    expect(await errorOf(ofPortal.client.checkOut('alice', { commandId: 'c-1' }))).toMatchObject({
      name: 'NoAnswerError',
      commandId: 'c-1',
    });
  });
});

describe('the time before the next attempt', () => {
  it('doubles up to five seconds', async () => {
    const { client, slept } = openClient([...Array.from({ length: 8 }, networkFailure), json(200, cart)]);
    await client.readCart('alice');
    expect(slept).toEqual([150, 300, 600, 1_200, 2_400, 3_750, 3_750, 3_750]);
  });

  it.each([
    ['in seconds', '3'],
    ['as a date', 'Tue, 01 Jan 2030 00:00:03 GMT'],
  ])('is not shorter than Retry-After says, %s', async (_, retryAfter) => {
    const busy = problem(503, 'database_unavailable', {}, { 'Retry-After': retryAfter });
    const { client, slept } = openClient([busy, json(200, cart)]);
    await client.readCart('alice');
    expect(slept).toEqual([3_050]);
  });

  it('is not waited where no attempt could follow', async () => {
    const busy = problem(503, 'database_unavailable', {}, { 'Retry-After': '60' });
    const { client, slept } = openClient([busy]);
    expect(await errorOf(client.readCart('alice'))).toMatchObject({ code: 'database_unavailable' });
    expect(slept).toEqual([]);
  });
});

describe('the clock of the platform', () => {
  it('sleeps until the next attempt, or until the caller aborts', async () => {
    const abort = new AbortController();
    const steps = [
      () => problem(503, 'database_unavailable', {}, { 'Retry-After': '0' }),
      () => json(200, cart),
      () => {
        setTimeout(() => abort.abort(new Error('The page is closed.')), 1);
        return problem(503, 'database_unavailable', {}, { 'Retry-After': '20' });
      },
    ].values();
    const client = createCartClient({ baseUrl: 'http://shop.example', fetch: async () => steps.next().value!() });
    expect(await client.readCart('alice')).toEqual(cart);
    expect(await errorOf(client.readCart('alice', { signal: abort.signal }))).toMatchObject({
      name: 'NoAnswerError',
      commandId: undefined,
      cause: { message: 'The page is closed.' },
    });
  });
});

describe('waitFor', () => {
  it('reads the outcome until it is known', async () => {
    const unknown = () => problem(404, 'command_unknown');
    const { client, sent } = openClient([unknown(), networkFailure(), unknown(), json(200, outcome)]);
    expect(await client.waitFor('alice', 'c-1')).toEqual(outcome);
    expect(new Set(sent.map(({ method, path: target }) => `${method} ${target}`))).toEqual(
      new Set(['GET /api/carts/alice/commands/c-1']),
    );
  });

  it('returns a rejection, too', async () => {
    const rejected = { ...outcome, status: 'rejected', versions: [], code: 'cart_empty', reason: 'It is empty.' };
    const { client } = openClient([json(200, rejected)]);
    expect(await client.waitFor('alice', 'c-1')).toEqual(rejected);
  });

  it('fails with the id when its time is over', async () => {
    const { client, slept } = openClient(Array.from({ length: 20 }, () => problem(404, 'command_unknown')));
    const error = await errorOf(client.waitFor('alice', 'c-1', { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ name: 'CartProblem', code: 'command_unknown', commandId: 'c-1' });
    expect(slept).toEqual([150, 300]);
  });

  it('does not wait for a cart of somebody else', async () => {
    const { client, sent } = openClient([problem(404, 'cart_unknown')]);
    expect(await errorOf(client.waitFor('alice', 'c-1'))).toMatchObject({ code: 'cart_unknown' });
    expect(sent).toHaveLength(1);
  });

  it('ends when it is aborted', async () => {
    const abort = new AbortController();
    const { client } = openClient([
      async () => {
        abort.abort(new Error('The page is closed.'));
        return problem(404, 'command_unknown');
      },
    ]);
    expect(await errorOf(client.waitFor('alice', 'c-1', { signal: abort.signal }))).toMatchObject({
      name: 'NoAnswerError',
      commandId: 'c-1',
    });
  });
});

describe('tokens', () => {
  const tokensOf = ({ headers }: Sent) => [headers.get('Authorization'), headers.get('Cart-Token')];

  it('are asked for before each attempt', async () => {
    let count = 0;
    const token = async () => {
      count += 1;
      return `t${count}`;
    };
    const { client, sent } = openClient([networkFailure(), json(200, cart)], { token });
    await client.readCart('alice');
    expect(sent.map(tokensOf)).toEqual([
      ['Bearer t1', null],
      ['Bearer t2', null],
    ]);
  });

  it('are not retried where they cannot be had', async () => {
    const token = async () => Promise.reject(new Error('Sign in again.'));
    const { client, sent } = openClient([], { token });
    expect(await errorOf(client.readCart('alice'))).toMatchObject({ cause: { message: 'Sign in again.' } });
    expect(sent).toEqual([]);
  });

  it('of a guest are replaced by the one in an answer, also in that of a problem', async () => {
    const onCartToken = jest.fn();
    const { client, sent } = openClient(
      [
        accepted({ 'Cart-Token': 'second' }),
        problem(409, 'cart_empty', {}, { 'Cart-Token': 'third' }),
        json(200, cart),
      ],
      { cartToken: 'first', onCartToken },
    );
    await client.addItem('guest:1', pen);
    await errorOf(client.checkOut('guest:1'));
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, 'first'],
      [null, 'second'],
      [null, 'third'],
    ]);
    expect(onCartToken.mock.calls).toEqual([['second'], ['third']]);
  });

  it('of a function win over the one in an answer, once the function gives another one', async () => {
    let stored = 'first';
    const { client, sent } = openClient(
      [json(200, cart, { 'Cart-Token': 'second' }), json(200, cart), json(200, cart)],
      { cartToken: () => stored },
    );
    await client.readCart('guest:1');
    await client.readCart('guest:1');
    stored = 'of another page';
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, 'first'],
      [null, 'second'],
      [null, 'of another page'],
    ]);
  });

  it('of a new guest are sent from then on', async () => {
    const guest = { userId: 'guest:1', cartToken: 'new', expiresAt: '2030-02-01T00:00:00.000Z' };
    const onCartToken = jest.fn();
    const { client, sent } = openClient([json(201, guest), json(200, cart)], { onCartToken });
    expect(await client.createGuest()).toEqual(guest);
    await client.readCart('guest:1');
    expect(sent.map(tokensOf)).toEqual([
      [null, null],
      [null, 'new'],
    ]);
    expect(onCartToken.mock.calls).toEqual([['new']]);
  });
});

describe('reads', () => {
  it('name a point in time as the API does', async () => {
    const { client, sent } = openClient(Array.from({ length: 5 }, () => json(200, cart)));
    await client.readCart('alice', { version: 0 });
    await client.readCart('alice', { at: new Date('2030-01-31T12:00:00Z') });
    await client.readCart('alice', { at: '2030-01-31T13:00:00+01:00' });
    await client.readCart('alice', { minVersion: 3 });
    await client.compareCarts('alice', 1, new Date('2030-01-31T12:00:00Z'));
    expect(sent.map((request) => request.path)).toEqual([
      '/api/carts/alice?version=0',
      '/api/carts/alice?at=2030-01-31T12%3A00%3A00.000Z',
      '/api/carts/alice?at=2030-01-31T13%3A00%3A00%2B01%3A00',
      '/api/carts/alice?minVersion=3',
      '/api/carts/alice/diff?from=1&to=2030-01-31T12%3A00%3A00.000Z',
    ]);
  });

  it('of the timeline read a page when its entries are taken', async () => {
    const page = (sequences: number[], next?: string) =>
      json(200, { events: sequences.map((sequence) => ({ sequence })), ...(next === undefined ? {} : { next }) });
    const { client, sent } = openClient([
      page([1, 2], '/carts/alice/events?after=2&limit=2&rejected=include'),
      page([3]),
    ]);
    const taken: number[] = [];
    const requests: number[] = [];
    for await (const entry of client.readTimeline('alice', { limit: 2, rejected: 'include' })) {
      taken.push(entry.sequence);
      requests.push(sent.length);
    }
    expect(taken).toEqual([1, 2, 3]);
    expect(requests).toEqual([1, 1, 2]);
    expect(sent.map((request) => new URLSearchParams(request.path.split('?')[1]).get('after'))).toEqual([null, '2']);
    expect(sent[1]!.path).toContain('rejected=include');
  });

  it('of the catalogue go on after the last product', async () => {
    const { client, sent } = openClient([
      json(200, { products: [{ productId: 'a|b' }], next: '/products?after=a%7Cb&limit=1' }),
      json(200, { products: [{ productId: 'c' }] }),
    ]);
    const taken: string[] = [];
    for await (const { productId } of client.listProducts({ limit: 1 })) taken.push(productId);
    expect(taken).toEqual(['a|b', 'c']);
    expect(sent[1]!.path).toContain('after=a%7Cb');
  });

  it('and changes of a product have no id of a command', async () => {
    const product = { name: 'Pen', unitPrice: 250, currency: 'EUR' };
    const { client, sent, keys } = openClient([json(201, product), json(200, product)]);
    await client.putProduct('pen', product);
    await client.readProduct('pen');
    expect(sent.map(({ method, path: target }) => `${method} ${target}`)).toEqual([
      'PUT /api/products/pen',
      'GET /api/products/pen',
    ]);
    expect(keys()).toEqual([null, null]);
  });
});

describe('the package of the client', () => {
  const read = (file: string) => JSON.parse(readFileSync(path.resolve(__dirname, '../..', file), 'utf8'));
  const [root, client] = [read('package.json'), read('client/package.json')];

  it('has the version of the API, and the dependency with which the tests run it', () => {
    expect(client.version).toBe(root.version);
    for (const [name, version] of Object.entries(client.dependencies)) {
      expect(root.devDependencies[name]).toBe(version);
    }
  });
});
