import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Command, Envelope } from '../domain/commands';
import type { Cart } from '../domain/state';
import { Problem } from '../http/problem';
import { cartPath, validate } from '../http/validation';
import type { Catalogue } from '../postgres/catalogue';
import type { CommandOutcome } from '../postgres/log/outcomes';
import type { SendCommand } from './gather-commands';
import { readExpectedVersion, readIdempotencyKey, readWaitSeconds } from './headers';
import { TemporalUnavailableError } from './send-command';

/** What the command side needs from Temporal and Postgres. */
export interface CommandPorts {
  readonly sendCommand: SendCommand;
  readonly catalogue: Catalogue;
  readonly findOutcome: (userId: string, commandId: string) => Promise<CommandOutcome | undefined>;
  /** Sends the command, and returns its outcome once it is projected; undefined if that takes longer than `seconds`. */
  readonly awaitOutcome: (
    userId: string,
    commandId: string,
    seconds: number,
    send: () => Promise<void>,
  ) => Promise<CommandOutcome | undefined>;
  readonly readCart: (userId: string) => Promise<{ readonly version: number }>;
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
  req: Request,
  res: Response,
  request: CommandRequest,
): Promise<void> {
  const { userId } = validate(cartPath, req.params);
  const key = readIdempotencyKey(req.get('Idempotency-Key'));
  const expectedVersion = readExpectedVersion(req.get('If-Match'));
  const waitSeconds = readWaitSeconds(req.get('Prefer'));
  const commandId = key ?? randomUUID();
  const earlierOutcome = key === undefined ? undefined : await findEarlierOutcome(ports, userId, key);
  if (earlierOutcome !== undefined) {
    assertSameRequest(earlierOutcome, request, expectedVersion);
    res.set('Idempotent-Replayed', 'true');
  }
  const sendNew = async () => {
    const envelope = { commandId, issuedAt: new Date().toISOString(), actor: `user:${userId}` };
    const command = await request.toCommand(
      expectedVersion === undefined ? envelope : { ...envelope, expectedVersion },
    );
    await send(ports, userId, command);
  };
  if (waitSeconds === 0) {
    if (earlierOutcome === undefined) await sendNew();
    return answerAccepted(res, userId, commandId);
  }
  const outcome = earlierOutcome ?? (await ports.awaitOutcome(userId, commandId, waitSeconds, sendNew));
  if (outcome === undefined) return answerAccepted(res, userId, commandId);
  assertSameRequest(outcome, request, expectedVersion);
  if (outcome.status === 'rejected') {
    res.set('Preference-Applied', `wait=${waitSeconds}`);
    throw Problem.ofRejection(outcome.code, outcome.reason, commandId);
  }
  // The command is applied, so the answer must not be an error, also where Postgres fails just now.
  const cart = await ports.readCart(userId).catch(() => undefined);
  if (cart === undefined) return answerAccepted(res, userId, commandId);
  res
    .set({ 'Preference-Applied': `wait=${waitSeconds}`, ETag: `"${cart.version}"`, 'Cache-Control': 'no-store' })
    .json(cart);
}

function answerAccepted(res: Response, userId: string, commandId: string): void {
  res
    .status(202)
    .location(`/carts/${encodeURIComponent(userId)}/commands/${encodeURIComponent(commandId)}`)
    .json({ commandId, status: 'accepted' });
}

/** Returns undefined if Postgres does not answer. The workflow then detects a repeated command itself. */
async function findEarlierOutcome(
  ports: CommandPorts,
  userId: string,
  key: string,
): Promise<CommandOutcome | undefined> {
  try {
    return await ports.findOutcome(userId, key);
  } catch (error) {
    ports.logger.warn({ err: error }, 'cannot look up an earlier outcome: Postgres does not answer');
    return undefined;
  }
}

function assertSameRequest(
  outcome: CommandOutcome,
  request: CommandRequest,
  expectedVersion: number | undefined,
): void {
  const isSame =
    outcome.type === request.type &&
    outcome.expectedVersion === expectedVersion &&
    Object.entries(request.fields).every(([field, value]) => outcome.data[field] === value);
  if (!isSame) {
    throw new Problem(
      422,
      'idempotency_key_reused',
      `The key ${outcome.commandId} was used for a different request (${outcome.type}). Use another key for this one.`,
      { commandId: outcome.commandId },
    );
  }
}

async function send(ports: CommandPorts, userId: string, command: Command): Promise<void> {
  try {
    await ports.sendCommand(userId, command);
  } catch (error) {
    if (!(error instanceof TemporalUnavailableError)) throw error;
    ports.logger.warn({ err: error.cause }, 'Temporal did not confirm a command');
    throw new Problem(
      503,
      'temporal_unavailable',
      'Temporal did not confirm the command. Repeat it with this commandId as Idempotency-Key: it is applied once.',
      { commandId: command.commandId, retryAfterSeconds: 2 },
    );
  }
}
