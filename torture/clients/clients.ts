import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { cartIn, versionSeenIn } from '../check/observations';
import { isSending, singleCommands } from '../check/single-commands';
import { idsSentBy } from '../check/story';
import type { CommandAsk, HttpAsk, Operation, Sending } from '../check/types';
import { createRandom, type Random } from '../random';
import { type Knowledge, randomBatch, randomChange, randomCommand, randomMerge, randomRead } from './actions';
import { send } from './http';
import type { Answer, Recorder } from './recorder';
import { classify, toRequest } from './requests';

/** What faults change about the clients while they run. */
export interface Behaviour {
  /** How many copies of a command with a key are sent at the same time. */
  copies: number;
  /** The probability that an old command is sent again much later. */
  lateRetries: number;
  /** How many commands are sent at the same time, each after a random pause of its own. */
  atOnce: number;
  /** The probability that a second, different command is sent at the same time under the same key. */
  reusedKeys: number;
}

export const usualBehaviour: Behaviour = { copies: 1, lateRetries: 0.02, atOnce: 1, reusedKeys: 0 };

export interface ClientOptions {
  readonly seed: number;
  readonly recorder: Recorder;
  readonly commandUrls: readonly string[];
  readonly queryUrls: readonly string[];
  /** The carts that there are. Faults may add some. */
  readonly carts: readonly string[];
  readonly behaviour: Behaviour;
  /** Average pause between two operations of a client. */
  readonly pauseMs: number;
}

/** Sends one operation over HTTP and records it. */
export type Perform = (client: number, cart: string, ask: HttpAsk) => Promise<Operation>;

export function createPerform({ recorder, commandUrls, queryUrls }: ClientOptions, random: Random): Perform {
  return (client, cart, ask) => {
    const urls = random.shuffle(isSending(ask) ? commandUrls : queryUrls);
    return recorder.record(client, cart, ask, () => sendToOne(urls, cart, ask));
  };
}

/** Asks the first process that accepts the connection, as a load balancer does. */
async function sendToOne([url, ...others]: readonly string[], cart: string, ask: HttpAsk): Promise<Answer> {
  try {
    return classify(ask, await send(url!, toRequest(cart, ask)));
  } catch (error) {
    const isUnsent = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    if (isUnsent && others.length > 0) return sendToOne(others, cart, ask);
    return { result: !isSending(ask) || isUnsent ? 'fail' : 'unknown' };
  }
}

/** Runs this client until the signal. */
export async function runClient(client: number, options: ClientOptions, stop: AbortSignal): Promise<void> {
  const random = createRandom(options.seed, `client ${client}`);
  const shopper = new Shopper(client, options, random, createPerform(options, random), stop);
  while (!stop.aborted) {
    await shopper.act();
    await pause(options.pauseMs * 2 * random.next(), stop);
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

/** One client: what it knows, and what it does next. */
class Shopper {
  private readonly known = new Map<string, Knowledge>();
  private readonly sent: { cart: string; ask: Sending }[] = [];
  private keys = 0;
  private guests = 1;

  constructor(
    readonly client: number,
    readonly options: ClientOptions,
    readonly random: Random,
    readonly perform: Perform,
    readonly stop: AbortSignal,
  ) {}

  async act(): Promise<void> {
    const { random, options } = this;
    const cart = random.chance(0.1) ? this.guest : random.pick(options.carts);
    if (random.chance(0.01)) {
      await send(random.pick(options.commandUrls), randomChange(random)).catch(() => undefined);
      return;
    }
    if (random.chance(0.45)) {
      await this.read(cart, randomRead(random, this.knowledge(cart)));
      return;
    }
    const { atOnce, lateRetries } = options.behaviour;
    if (this.sent.length > 0 && random.chance(lateRetries)) {
      const old = random.pick(this.sent);
      await this.submit(old.cart, old.ask);
      return;
    }
    if (random.chance(0.08)) {
      await this.submit(cart, randomBatch(random, this.knowledge(cart), this.freshKey()));
      return;
    }
    if (cart !== this.guest && random.chance(0.02)) {
      await this.mergeGuest(cart);
      return;
    }
    const commands = Array.from({ length: atOnce }, () => this.nextCommand(cart));
    const sending = commands.map(async (ask) => {
      if (atOnce > 1) await pause(random.int(0, 80), this.stop);
      await this.submit(cart, ask);
    });
    await Promise.all(sending);
  }

  private nextCommand(cart: string): CommandAsk {
    return randomCommand(this.random, this.knowledge(cart), () => this.freshKey());
  }

  private freshKey(): string {
    this.keys += 1;
    return `k${this.client}-${this.keys}`;
  }

  /** Before it buys anything, the client is a guest. */
  private get guest(): string {
    return `guest:${this.client}-${this.guests}`;
  }

  /** Merges this guest, or one that is merged already. */
  private async mergeGuest(cart: string): Promise<void> {
    const { random, client, guests } = this;
    const isMerged = guests > 1 && random.chance(0.2);
    const from = isMerged ? `guest:${client}-${guests - 1}` : this.guest;
    if (!isMerged) this.guests += 1;
    await this.submit(cart, randomMerge(random, from, this.freshKey()));
  }

  /** Sends it in as many copies as the behaviour says, and often reads the outcome. */
  private async submit(cart: string, ask: Sending): Promise<void> {
    const { options, random } = this;
    if (ask.key !== undefined) this.sent.push({ cart, ask });
    const isReused = ask.kind === 'command' && ask.key !== undefined && random.chance(options.behaviour.reusedKeys);
    const other = isReused ? this.once(cart, { ...this.nextCommand(cart), key: ask.key! }) : undefined;
    const copies = ask.key === undefined ? 1 : options.behaviour.copies;
    const answers = await Promise.all(Array.from({ length: copies }, () => this.once(cart, ask)));
    await other;
    const [id] = singleCommands(answers)
      .filter((operation) => operation.cart === cart)
      .flatMap(idsSentBy);
    if (id === undefined) return;
    let isKnown = answers.some(({ result }) => result !== 'unknown');
    for (let attempt = 1; !isKnown && attempt <= 4 && random.chance(0.8) && !this.stop.aborted; attempt += 1) {
      await pause(300 * attempt, this.stop);
      isKnown = (await this.once(cart, ask.kind === 'command' ? { ...ask, key: id } : ask)).result !== 'unknown';
    }
    if (random.chance(0.5)) await this.follow(cart, id);
  }

  private async once(cart: string, ask: Sending): Promise<Operation> {
    return this.learn(cart, await this.perform(this.client, cart, ask));
  }

  private async read(cart: string, ask: HttpAsk): Promise<Operation> {
    return this.learn(cart, await this.perform(this.client, cart, ask));
  }

  /** Reads the outcome of a command until it is there, for a while. */
  private async follow(cart: string, commandId: string): Promise<void> {
    for (let attempt = 0; attempt < 6 && !this.stop.aborted; attempt += 1) {
      await pause(60 * 2 ** attempt, this.stop);
      const { status } = await this.read(cart, { kind: 'readOutcome', commandId });
      if (status === 200) return;
    }
  }

  private knowledge(cart: string): Knowledge {
    return this.known.get(cart) ?? { version: 0, lineIds: [], commandIds: [] };
  }

  private learn(cart: string, operation: Operation): Operation {
    const { version, subtotal, lineIds, commandIds } = this.knowledge(cart);
    const shown = singleCommands([operation]).filter((single) => single.cart === cart);
    const [seen] = shown.flatMap((single) => cartIn(single) ?? []);
    this.known.set(cart, {
      version: Math.max(version, ...shown.map(versionSeenIn)),
      subtotal: seen?.subtotal ?? subtotal,
      lineIds: seen?.items.map(({ lineId }) => lineId) ?? lineIds,
      commandIds: [...commandIds, ...shown.flatMap(idsSentBy)].slice(-20),
    });
    return operation;
  }
}

/** Runs this many clients until the task has ended or `stop` aborts, and each of them has its last answer. */
export async function whileClientsRun<T>(
  clients: number,
  options: ClientOptions,
  stop: AbortSignal,
  task: () => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const stopClients = AbortSignal.any([stop, ending.signal]);
  setMaxListeners(0, stop, stopClients);
  const running = Array.from({ length: clients }, (_, index) => runClient(index + 1, options, stopClients));
  try {
    return await task();
  } finally {
    ending.abort();
    await Promise.all(running);
  }
}
