import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Command, Envelope } from '../domain/commands';
import type { Cart } from '../domain/state';
import { etagOf } from '../http/conditional';
import { Problem } from '../http/problem';
import type { Answer } from '../http/route';
import type { CartView } from '../http/shapes';
import type { Catalogue } from '../postgres/catalogue';
import type { CommandOutcome } from '../postgres/log/outcomes';
import type { RecentProducts } from './facts';
import type { SendCommand } from './gather-commands';
import type { CommandHeaders } from './headers';
import { TemporalUnavailableError } from './send-command';

/** What the command side needs from Temporal and Postgres. */
export interface CommandPorts {
  readonly sendCommand: SendCommand;
  readonly catalogue: Catalogue;
  readonly recentProducts: RecentProducts;
  readonly findOutcome: (userId: string, commandId: string) => Promise<CommandOutcome | undefined>;
  /**
   * Sends the command where `send` is given, and returns its outcome once it is projected; undefined if that takes
   * longer than `seconds`.
   */
  readonly awaitOutcome: (
    userId: string,
    commandId: string,
    seconds: number,
    send?: () => Promise<void>,
  ) => Promise<CommandOutcome | undefined>;
  /** As `findOutcome` and `awaitOutcome`, for a batch. */
  readonly findBatch: (userId: string, batchId: string) => Promise<readonly CommandOutcome[]>;
  readonly awaitBatch: (
    userId: string,
    batchId: string,
    seconds: number,
    send: () => Promise<void>,
  ) => Promise<readonly CommandOutcome[] | undefined>;
  readonly readCart: (userId: string) => Promise<CartView>;
  /** Reads the cart at a version; undefined if the cart does not have that version. */
  readonly readCartAt: (userId: string, version: number) => Promise<Cart | undefined>;
  readonly logger: Logger;
}

/** What the client asked for: the command's type, and the fields of the command that come from the request. */
export interface CommandRequest {
  readonly type: Command['type'];
  readonly fields: Readonly<Record<string, unknown>>;
  /** Makes the whole command, with look-ups where needed. @throws Problem if the request cannot become a command. */
  readonly toCommand: (envelope: Envelope) => Promise<Command>;
}

/**
 * Answers a request for one command. Without `Prefer: wait`: 202 as soon as Temporal has the command. With it: 200 with
 * the cart, or the rejection as a problem, once the command is projected. A repeated command id gets its first outcome
 * again, or 422 if the request is different.
 */
export async function answerCommand(
  ports: CommandPorts,
  { params: { userId }, headers: requestHeaders, actor }: RequestOfCart,
  request: CommandRequest,
): Promise<Answer> {
  const { 'Idempotency-Key': key, 'If-Match': versions, Prefer: waitSeconds } = requestHeaders;
  const expected = toExpected(versions);
  const commandId = key ?? randomUUID();
  const earlierOutcome = key === undefined ? undefined : await findEarlierOutcome(ports, userId, key);
  if (earlierOutcome !== undefined) assertSameRequest(earlierOutcome, request, expected);
  const replayed: Headers = earlierOutcome === undefined ? {} : { 'Idempotent-Replayed': 'true' };
  const sendNew = async () => {
    const envelope = { commandId, issuedAt: new Date().toISOString(), actor, ...expected };
    const command = await request.toCommand(envelope);
    ports.recentProducts.add(userId, command);
    await send(ports, userId, command);
  };
  if (waitSeconds === 0) {
    if (earlierOutcome === undefined) await sendNew();
    return accepted(userId, commandId, replayed);
  }
  const outcome = earlierOutcome ?? (await ports.awaitOutcome(userId, commandId, waitSeconds, sendNew));
  if (outcome === undefined) return accepted(userId, commandId, replayed);
  assertSameRequest(outcome, request, expected);
  const headers = { ...replayed, 'Preference-Applied': `wait=${waitSeconds}` };
  if (outcome.status === 'rejected') throw Problem.ofRejection(outcome.code, outcome.reason, { commandId, headers });
  // The command is applied, so the answer must not be an error, also where Postgres fails just now.
  const cart = await ports.readCart(userId).catch(() => undefined);
  if (cart === undefined) return accepted(userId, commandId, replayed);
  return { status: 200, headers: { ...headers, ETag: etagOf(cart), 'Cache-Control': 'no-store' }, body: cart };
}

/** The parts of a request that all commands have. */
interface RequestOfCart {
  readonly params: { readonly userId: string };
  readonly headers: CommandHeaders;
  readonly actor: string;
}

type Expected = Pick<Envelope, 'expectedVersion' | 'expectedVersions'>;

/** @throws Problem 412 where no version can match. */
export function toExpected(versions: readonly number[] | undefined): Expected {
  if (versions === undefined) return {};
  const [expectedVersion, ...others] = versions;
  if (expectedVersion === undefined) {
    throw new Problem(412, 'version_mismatch', 'No tag in If-Match is one of this cart: they are quoted versions.');
  }
  return others.length === 0 ? { expectedVersion } : { expectedVersions: versions };
}

type Headers = Readonly<Record<string, string>>;

export const accepted = (userId: string, commandId: string, headers: Headers): Answer => ({
  status: 202,
  headers: {
    ...headers,
    Location: `/carts/${encodeURIComponent(userId)}/commands/${encodeURIComponent(commandId)}`,
  },
  body: { commandId, status: 'accepted' },
});

/** Returns undefined if Postgres does not answer. The workflow then detects a repeated command itself. */
export const findEarlierOutcome = (ports: CommandPorts, userId: string, key: string) =>
  unlessAway(ports, () => ports.findOutcome(userId, key));

/** As `findEarlierOutcome`, of whatever. */
export async function unlessAway<Found>({ logger }: CommandPorts, find: () => Promise<Found>) {
  try {
    return await find();
  } catch (error) {
    logger.warn({ err: error }, 'cannot look up an earlier outcome: Postgres does not answer');
    return undefined;
  }
}

/** @throws Problem 422 where the outcome is that of another request. */
export function assertSameRequest(
  outcome: CommandOutcome,
  request: Pick<CommandRequest, 'type' | 'fields'>,
  { expectedVersion, expectedVersions }: Expected,
): void {
  const isSame =
    outcome.type === request.type &&
    outcome.expectedVersion === expectedVersion &&
    isDeepStrictEqual(outcome.data.expectedVersions, expectedVersions) &&
    Object.entries(request.fields).every(([field, value]) => isDeepStrictEqual(outcome.data[field], value));
  if (!isSame) {
    throw new Problem(
      422,
      'idempotency_key_reused',
      `The key ${outcome.commandId} was used for a different request (${outcome.type}). Use another key for this one.`,
      { commandId: outcome.commandId },
    );
  }
}

/** @throws Problem 503 where Temporal does not confirm the command. */
export async function send(ports: CommandPorts, userId: string, ...commands: readonly Command[]): Promise<void> {
  try {
    await ports.sendCommand(userId, ...commands);
  } catch (error) {
    if (!(error instanceof TemporalUnavailableError)) throw error;
    ports.logger.warn({ err: error.cause }, 'Temporal did not confirm a command');
    throw new Problem(
      503,
      'temporal_unavailable',
      'Temporal did not confirm the command. Repeat it with this commandId as Idempotency-Key: it is applied once.',
      { commandId: keyOf(commands), retryAfterSeconds: 2 },
    );
  }
}

/** The key under which to repeat these commands. */
const keyOf = ([first]: readonly Command[]): string => first!.batch?.id ?? first!.commandId;
