import { CartProblem } from '../../client/src/index';
import { cart, errorOf, json, networkFailure, openClient, problem } from '../support/scripted-client';

/** An answer that sends these parts, and then ends or, with `isCut`, is lost. */
function stream(parts: readonly string[], { isCut = false } = {}): Response {
  const left = [...parts];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = left.shift();
      if (part !== undefined) controller.enqueue(new TextEncoder().encode(part));
      else if (isCut) controller.error(new TypeError('terminated'));
      else controller.close();
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

/** A stream on which nothing comes, until it is cancelled. */
const silentStream = () => new Response(new ReadableStream(), { headers: { 'Content-Type': 'text/event-stream' } });

const message = (version: number) => `id: ${version}\ndata: ${JSON.stringify({ version, type: 'ItemAdded' })}\n\n`;

/** The versions of the next so many events; then it stops following. */
async function take(
  followed: AsyncGenerator<{ readonly version: number }, void>,
  count: number,
  stopping: AbortController,
): Promise<number[]> {
  const versions: number[] = [];
  for await (const { version } of followed) {
    versions.push(version);
    if (versions.length === count) stopping.abort();
  }
  return versions;
}

describe('followCart', () => {
  it('gives each event once and in order, over streams that end or are lost, and connects after the last one', async () => {
    const { client, sent, slept } = openClient([
      stream(['retry: 700\n\n', message(4), message(5), 'retry: 1200\n\n']),
      networkFailure(),
      stream([message(6), message(7).slice(0, 20)], { isCut: true }),
      problem(503, 'database_unavailable', {}, { 'Retry-After': '3' }),
      new Response('Bad Gateway', { status: 502 }),
      stream([': \n\n', message(7)]),
    ]);
    const stopping = new AbortController();
    const followed = client.followCart('alice', { after: 3, signal: stopping.signal });
    expect(await take(followed, 4, stopping)).toEqual([4, 5, 6, 7]);
    expect(sent.map(({ path }) => path)).toEqual([
      '/api/carts/alice/stream?after=3',
      ...Array(2).fill('/api/carts/alice/stream?after=5'),
      ...Array(3).fill('/api/carts/alice/stream?after=6'),
    ]);
    expect(slept).toEqual([1_200, expect.any(Number), 1_000, expect.any(Number), expect.any(Number)]);
    expect(slept[3]).toBeGreaterThanOrEqual(3_000);
  });

  it('begins after the version that the cart has', async () => {
    const { client, sent } = openClient([json(200, cart), stream([message(4)])]);
    const stopping = new AbortController();
    expect(await take(client.followCart('alice', { signal: stopping.signal }), 1, stopping)).toEqual([4]);
    expect(sent.map(({ path }) => path)).toEqual(['/api/carts/alice', '/api/carts/alice/stream?after=3']);
  });

  it('ends when it is aborted, also while nothing comes', async () => {
    const { client, sent } = openClient([silentStream()]);
    const stopping = new AbortController();
    const next = client.followCart('alice', { after: 3, signal: stopping.signal }).next();
    setImmediate(() => stopping.abort());
    expect(await next).toEqual({ done: true, value: undefined });
    expect(sent).toHaveLength(1);
  });

  it('fails where another attempt would not help', async () => {
    const { client } = openClient([problem(404, 'cart_unknown')]);
    const error = await errorOf(client.followCart('bob', { after: 0 }).next());
    expect(error).toBeInstanceOf(CartProblem);
    expect(error).toMatchObject({ status: 404, code: 'cart_unknown' });
  });
});
