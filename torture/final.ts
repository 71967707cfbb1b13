import { setTimeout as delay } from 'node:timers/promises';
import { isSending, mergeIdOf, singleCommands } from './check/single-commands';
import { groupBy, idsSentBy, reuseCode } from './check/story';
import type { CartView, Entry, Final, FinalCart, Operation, Outcome } from './check/types';
import { type HttpAnswer, send } from './clients/http';
import type { Recorder } from './clients/recorder';
import { verify } from './verify';
import type { World } from './world/world';

type Get = (path: string) => Promise<HttpAnswer>;

/**
 * Waits until every acknowledged command has its outcome, and then for what may still be on its way: commands without a
 * clear answer, and other requests under an acknowledged key.
 * @param onTheirWayMs how long that takes at most.
 * @returns false where the time is up before.
 */
export async function untilQuiet(
  world: World,
  history: readonly Operation[],
  { timeoutMs, onTheirWayMs }: { readonly timeoutMs: number; readonly onTheirWayMs: number },
): Promise<boolean> {
  const get = getter(world);
  if (!(await haveOutcomes(get, sentWith(history, 'ok'), timeoutMs))) return false;
  await delay(usuallyOnTheirWayMs);
  await haveOutcomes(get, sentWith(history, 'unknown'), onTheirWayMs - usuallyOnTheirWayMs);
  return true;
}

/** Longer than a role tries to send a command. */
export const usuallyOnTheirWayMs = 4_000;

async function haveOutcomes(get: Get, commands: readonly Sent[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (let missing = commands; ; await delay(500)) {
    const still = await inParallel(missing, async (entry) => {
      const isThere = (await get(outcomePath(entry))).status === 200 || (await isHandOverRejected(get, entry));
      return isThere ? [] : [entry];
    });
    missing = still.flat();
    if (missing.length === 0) return true;
    if (Date.now() > deadline) return false;
  }
}

interface Sent {
  readonly cart: string;
  readonly commandId: string;
  /** Of a merge that was acknowledged: the hand-over, without which it does not happen. */
  readonly handOver?: Sent;
}

/** The commands of the operations that ended like this, each once. */
function sentWith(history: readonly Operation[], end: Operation['result']): Sent[] {
  const sent = history
    .filter(({ result, ask }) => result === end && (isSending(ask) || ask.kind === 'signal'))
    .flatMap((operation) => [...singleCommands([operation]).flatMap(commandsIn), ...mergesIn(operation)]);
  return [...new Map(sent.map((entry) => [`${entry.cart} ${entry.commandId}`, entry])).values()];
}

const commandsIn = (operation: Operation): Sent[] =>
  idsSentBy(operation).map((commandId) => ({ cart: operation.cart, commandId }));

const mergesIn = ({ cart, ask }: Operation): Sent[] =>
  ask.kind === 'merge'
    ? [{ cart, commandId: mergeIdOf(ask.from), handOver: { cart: ask.from, commandId: ask.key } }]
    : [];

async function isHandOverRejected(get: Get, { handOver }: Sent): Promise<boolean> {
  if (handOver === undefined) return false;
  const { status, body } = await get(outcomePath(handOver));
  return status === 200 && (body as unknown as Outcome).status === 'rejected';
}

const outcomePath = ({ cart, commandId }: Sent) => `/carts/${cart}/commands/${encodeURIComponent(commandId)}`;

/** Reads all that the checker needs, once everything is quiet. Carts that cannot be read are missing. */
export async function readFinal(world: World, { operations: history, since }: Recorder): Promise<Final> {
  const get = getter(world);
  const carts: FinalCart[] = [];
  for (const [cart, operations] of groupBy(singleCommands(history), (operation) => operation.cart)) {
    const ids = new Set(operations.flatMap(idsSentBy));
    const read = await readCart(get, cart, [...ids]).catch(() => undefined);
    if (read !== undefined) carts.push(read);
  }
  return { recordedSince: since, carts, verify: await verify(world) };
}

async function readCart(get: Get, cart: string, ids: readonly string[]): Promise<FinalCart> {
  const now = (await ok(get, `/carts/${cart}`)) as CartView;
  const last = (await ok(get, `/carts/${cart}?version=${now.version}`)) as CartView;
  const past = await inParallel(versionsToRead(now.version), (version) => ok(get, `/carts/${cart}?version=${version}`));
  const entries = await readEntries(get, cart);
  const reuses = entries.filter(({ code }) => code === reuseCode).map(({ commandId }) => commandId);
  const outcomes = await inParallel([...new Set([...ids, ...reuses])], async (commandId) => {
    const { status, body } = await get(outcomePath({ cart, commandId }));
    return [commandId, status === 200 ? (body as Outcome) : null] as const;
  });
  return {
    cart,
    now,
    last,
    past: past as CartView[],
    entries,
    outcomes: Object.fromEntries(outcomes),
  };
}

const pastReads = 1_000;

/** Every version, or as many as may be read, at equal distances. */
function versionsToRead(last: number): number[] {
  const step = Math.max(1, last / pastReads);
  return Array.from({ length: Math.floor(last / step) }, (_, index) => Math.floor(index * step));
}

async function readEntries(get: Get, cart: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let next: string | undefined = `/carts/${cart}/events?rejected=include&limit=500`; next !== undefined; ) {
    const page = (await ok(get, next)) as { events: Entry[]; next?: string };
    entries.push(...page.events);
    next = page.next;
  }
  return entries;
}

function getter({ roles }: World): Get {
  const url = roles.queries[0]!.url;
  return (path) => send(url, { method: 'GET', path });
}

async function ok(get: Get, path: string): Promise<unknown> {
  const { status, body } = await get(path);
  if (status !== 200) throw new Error(`${path} answered ${status}`);
  return body;
}

const atOnce = 16;

/** The results of a task for every entry, in order; some tasks run at the same time. */
export async function inParallel<T, R>(list: readonly T[], task: (entry: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = list.entries();
  const work = async () => {
    for (const [index, entry] of entries) results[index] = await task(entry);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
