import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';
import type {
  CartClient,
  CartClientOptions,
  CommandAnswer,
  CommandOptions,
  Instant,
  PointInTime,
  ReportName,
  RequestOptions,
  TimelineEvent,
} from './cart-client.ts';
import { readStream } from './follow.ts';
import { type Attempt, type Clock, isBusy, type SendOnce, type SendOptions, send, systemClock } from './send.ts';
import { createTokens } from './tokens.ts';

type CommandBody = components['schemas']['Cart'] | components['schemas']['AcceptedCommand'];

const defaultTimeoutMs = 30_000;
const defaultAttemptTimeoutMs = 10_000;

/** Makes a client of the API at an address. */
export function createCartClient(options: CartClientOptions, clock: Clock = systemClock): CartClient {
  const { baseUrl, fetch = (request) => globalThis.fetch(request) } = options;
  const api = createClient<paths>({ baseUrl });
  const tokens = createTokens(options);

  const request = <Body>(
    sendOnce: SendOnce<Body>,
    { signal, timeoutMs = defaultTimeoutMs, attemptTimeoutMs = defaultAttemptTimeoutMs }: RequestOptions = {},
    more: Partial<SendOptions> = {},
  ) => send(sendOnce, { clock, fetch, tokens, signal, timeoutMs, attemptTimeoutMs, ...more });

  const sendCommand = async <Body>(sendOnce: SendOnce<Body>, options: CommandOptions = {}) => {
    const { commandId = crypto.randomUUID(), waitSeconds = 0, ifMatch, signal } = options;
    const waitMs = waitSeconds * 1_000;
    const { timeoutMs = defaultTimeoutMs + waitMs, attemptTimeoutMs = defaultAttemptTimeoutMs + waitMs } = options;
    const own = {
      'Idempotency-Key': commandId,
      ...(waitSeconds > 0 ? { Prefer: `wait=${Math.ceil(waitSeconds)}` } : {}),
      ...(ifMatch === undefined
        ? {}
        : {
            'If-Match': [ifMatch]
              .flat()
              .map((version) => `"${version}"`)
              .join(),
          }),
    };
    const body = await request(
      (init) => sendOnce({ ...init, headers: { ...init.headers, ...own } }),
      { signal, timeoutMs, attemptTimeoutMs },
      { commandId },
    );
    return { commandId, body };
  };
  const command = async (sendOnce: SendOnce<CommandBody>, options?: CommandOptions): Promise<CommandAnswer> => {
    const { commandId, body } = await sendCommand(sendOnce, options);
    return body.status === 'accepted'
      ? { status: 'accepted', commandId }
      : { status: 'applied', commandId, cart: body };
  };

  const outcome = (userId: string, commandId: string) => (init: Attempt) =>
    api.GET('/carts/{userId}/commands/{commandId}', { params: { path: { userId, commandId } }, ...init });

  // The types of the reports differ by their names, which the types of openapi-fetch cannot follow.
  const report =
    (name: ReportName, query: object | undefined, accept: string) =>
    ({ headers, ...init }: Attempt) =>
      (api.GET as (path: string, options: object) => ReturnType<SendOnce<unknown>>)(`/reports/${name}`, {
        params: { query },
        headers: { ...headers, Accept: accept },
        parseAs: accept === 'text/csv' ? 'text' : 'json',
        ...init,
      });

  return {
    async createGuest(options) {
      const guest = await request((init) => api.POST('/guests', init), options);
      await tokens.useGuest(guest.cartToken);
      return guest;
    },

    readCart(userId, { version, at, minVersion, ...options } = {}) {
      const query = {
        ...(version === undefined ? {} : { version }),
        ...(at === undefined ? {} : { at: toText(at) }),
        ...(minVersion === undefined ? {} : { minVersion }),
      };
      return request((init) => api.GET('/carts/{userId}', { params: { path: { userId }, query }, ...init }), options);
    },
    async *readTimeline(userId, { signal, timeoutMs, attemptTimeoutMs, from, to, ...filters } = {}) {
      const query = {
        ...filters,
        ...(from === undefined ? {} : { from: toText(from) }),
        ...(to === undefined ? {} : { to: toText(to) }),
      };
      for (;;) {
        const page = await request(
          (init) => api.GET('/carts/{userId}/events', { params: { path: { userId }, query }, ...init }),
          { signal, timeoutMs, attemptTimeoutMs },
        );
        yield* page.events;
        if (page.next === undefined) return;
        query.after = Number(afterOf(page.next));
      }
    },
    async *followCart(userId, { after, signal } = {}) {
      const untilAborted = { signal, timeoutMs: Number.POSITIVE_INFINITY };
      const connect = (last: number) =>
        request(
          (init) =>
            api.GET('/carts/{userId}/stream', {
              params: { path: { userId }, query: { after: last } },
              parseAs: 'stream',
              ...init,
            }),
          untilAborted,
          { isTemporary: (problem) => isBusy(problem) || problem.status >= 500 },
        );
      const stop = signal ?? new AbortController().signal;
      try {
        let last = after ?? (await this.readCart(userId, untilAborted)).version;
        for (;;) {
          const stream = readStream((await connect(last)) as ReadableStream<Uint8Array>, signal);
          for await (const { id, data } of stream.messages()) {
            last = Number(id);
            yield JSON.parse(data) as TimelineEvent;
          }
          await clock.sleep(stream.retryMs, stop);
        }
      } catch (error) {
        if (!stop.aborted) throw error;
      }
    },
    compareCarts: (userId, from, to, options) =>
      request(
        (init) =>
          api.GET('/carts/{userId}/diff', {
            params: { path: { userId }, query: { from: toText(from), to: toText(to) } },
            ...init,
          }),
        options,
      ),
    readChain: (userId, options) =>
      request((init) => api.GET('/carts/{userId}/chain', { params: { path: { userId } }, ...init }), options),
    readOutcome: (userId, commandId, options) => request(outcome(userId, commandId), options, { commandId }),
    // A read can ask for the outcome with nothing but the id. A repeat with `Prefer: wait` needs the whole command.
    waitFor: (userId, commandId, options) =>
      request(outcome(userId, commandId), options, {
        commandId,
        isTemporary: (problem) => problem.code === 'command_unknown' || isBusy(problem),
      }),

    addItem: (userId, item, options) =>
      command(
        (init) => api.POST('/carts/{userId}/items', { params: { path: { userId } }, body: item, ...init }),
        options,
      ),
    changeItemQuantity: (userId, lineId, quantity, options) =>
      command(
        (init) =>
          api.PUT('/carts/{userId}/items/{lineId}', {
            params: { path: { userId, lineId } },
            body: { quantity },
            ...init,
          }),
        options,
      ),
    removeItem: (userId, lineId, options) =>
      command(
        (init) => api.DELETE('/carts/{userId}/items/{lineId}', { params: { path: { userId, lineId } }, ...init }),
        options,
      ),
    clearCart: (userId, options) =>
      command((init) => api.DELETE('/carts/{userId}/items', { params: { path: { userId } }, ...init }), options),
    changeNote: (userId, note, options) =>
      command(
        (init) => api.PUT('/carts/{userId}/note', { params: { path: { userId } }, body: { note }, ...init }),
        options,
      ),
    checkOut: (userId, { expectedTotal, acceptChanges, ...options } = {}) => {
      const body = {
        ...(expectedTotal === undefined ? {} : { expectedTotal }),
        ...(acceptChanges === undefined ? {} : { acceptChanges }),
      };
      const sent = Object.keys(body).length === 0 ? {} : { body };
      return command(
        (init) => api.POST('/carts/{userId}/checkout', { params: { path: { userId } }, ...sent, ...init }),
        options,
      );
    },
    restoreCart: (userId, version, options) =>
      command(
        (init) => api.POST('/carts/{userId}/restore', { params: { path: { userId } }, body: { version }, ...init }),
        options,
      ),

    async sendCommands(userId, batch, options) {
      const { commandId, body } = await sendCommand<components['schemas']['DecidedBatch' | 'AcceptedBatch']>(
        (init) => api.POST('/carts/{userId}/commands', { params: { path: { userId } }, body: batch, ...init }),
        options,
      );
      return 'cart' in body ? { status: 'decided', commandId, ...body } : { status: 'accepted', commandId };
    },
    async mergeCart(userId, guest, options) {
      const { body } = await sendCommand<components['schemas']['MergedCart' | 'AcceptedCommand']>(
        (init) => api.POST('/carts/{userId}/merge', { params: { path: { userId } }, body: guest, ...init }),
        options,
      );
      return 'cart' in body ? { status: 'applied', ...body } : body;
    },

    async *listProducts({ signal, timeoutMs, attemptTimeoutMs, ...query } = {}) {
      for (;;) {
        const page = await request((init) => api.GET('/products', { params: { query }, ...init }), {
          signal,
          timeoutMs,
          attemptTimeoutMs,
        });
        yield* page.products;
        if (page.next === undefined) return;
        query.after = afterOf(page.next);
      }
    },
    readOperations: (options) => request((init) => api.GET('/operations', init), options),
    async *findCarts({ signal, timeoutMs, attemptTimeoutMs, unchangedSince, ...filters } = {}) {
      const query = {
        ...filters,
        ...(unchangedSince === undefined ? {} : { unchangedSince: toText(unchangedSince) }),
      };
      for (;;) {
        const page = await request((init) => api.GET('/operations/carts', { params: { query }, ...init }), {
          signal,
          timeoutMs,
          attemptTimeoutMs,
        });
        yield* page.carts;
        if (page.next === undefined) return;
        query.after = afterOf(page.next);
      }
    },
    readReport: (name, query, options) => request(report(name, query, 'application/json'), options) as Promise<never>,
    readReportAsCsv: (name, query, options) => request(report(name, query, 'text/csv'), options) as Promise<string>,
    readProduct: (productId, options) =>
      request((init) => api.GET('/products/{productId}', { params: { path: { productId } }, ...init }), options),
    putProduct: (productId, product, options) =>
      request(
        (init) => api.PUT('/products/{productId}', { params: { path: { productId } }, body: product, ...init }),
        options,
      ),
  };
}

const toText = (point: PointInTime | Instant): string => (point instanceof Date ? point.toISOString() : String(point));

/** The place at which the next page begins. Its address may lack the path that is before the API. */
const afterOf = (next: string): string => new URL(next, 'http://api').searchParams.get('after')!;
