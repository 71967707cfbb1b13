import { CartProblem, createCartClient, NoAnswerError } from '../../client/src/index';
import {
  accepted,
  cart,
  errorOf,
  hang,
  json,
  networkFailure,
  openClient,
  outcome,
  pen,
  problem,
  uuid,
} from '../support/scripted-client';

describe('a command', () => {
  it.each([
    ['addItem', 'POST', '/items', { productId: 'pen', quantity: 2 }],
    ['changeItemQuantity', 'PUT', '/items/a%7Cb', { quantity: 0 }],
    ['removeItem', 'DELETE', '/items/a%7Cb', undefined],
    ['clearCart', 'DELETE', '/items', undefined],
    ['changeNote', 'PUT', '/note', { note: null }],
    ['checkOut', 'POST', '/checkout', undefined],
    ['checkOut of a total', 'POST', '/checkout', { expectedTotal: 500, acceptChanges: true }],
    ['restoreCart', 'POST', '/restore', { version: 4 }],
    ['sendCommands', 'POST', '/commands', { commands: [{ type: 'clearCart' }], atomic: true }],
  ] as const)('%s is one request with an id of its own', async (name, method, target, body) => {
    const { client, sent, keys } = openClient([accepted()]);
    const send = {
      addItem: () => client.addItem('a@b', { productId: 'pen', quantity: 2 }),
      changeItemQuantity: () => client.changeItemQuantity('a@b', 'a|b', 0),
      removeItem: () => client.removeItem('a@b', 'a|b'),
      clearCart: () => client.clearCart('a@b'),
      changeNote: () => client.changeNote('a@b', null),
      checkOut: () => client.checkOut('a@b'),
      'checkOut of a total': () => client.checkOut('a@b', { expectedTotal: 500, acceptChanges: true }),
      restoreCart: () => client.restoreCart('a@b', 4),
      sendCommands: () => client.sendCommands('a@b', { commands: [{ type: 'clearCart' }], atomic: true }),
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

  it('that merges a guest has the id that the cart of the user gives it', async () => {
    const { client, sent } = openClient([json(202, { commandId: 'merge:guest:1', status: 'accepted' })]);
    const answer = await client.mergeCart('alice', { from: 'guest:1', strategy: 'max' }, { commandId: 'c-1' });
    expect(sent).toEqual([expect.objectContaining({ path: '/api/carts/alice/merge' })]);
    expect(JSON.parse(sent[0]!.body)).toEqual({ from: 'guest:1', strategy: 'max' });
    expect(answer).toEqual({ status: 'accepted', commandId: 'merge:guest:1' });
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
