import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Command, Envelope } from '../domain/commands';
import type { Cart } from '../domain/state';
import { Problem } from '../http/problem';
import { cartPath, validate } from '../http/validation';
import type { Catalogue } from '../postgres/catalogue';
import type { CommandOutcome } from '../postgres/outcomes';
import { type SendCommand, TemporalUnavailableError } from '../temporal/command-sender';
import { readExpectedVersion, readIdempotencyKey, readWaitSeconds } from './headers';

/** What the command side needs from outside. */
export interface CommandSide {
  readonly sendCommand: SendCommand;
  readonly catalogue: Catalogue;
  readonly findOutcome: (userId: string, commandId: string) => Promise<CommandOutcome | undefined>;
  /** The outcome as soon as it is projected, or undefined when the time is up. */
  readonly awaitOutcome: (userId: string, commandId: string, seconds: number) => Promise<CommandOutcome | undefined>;
  readonly readCart: (userId: string) => Promise<{ readonly version: number }>;
  /** The cart as it was at a version, or undefined where it has no such version. */
  readonly readCartAt: (userId: string, version: number) => Promise<Cart | undefined>;
  readonly logger: Logger;
}

/** What the client asked for: a command's type and those of its fields that come from the request. */
export interface Wish {
  readonly type: Command['type'];
  readonly fields: Readonly<Record<string, unknown>>;
  /** The whole command. It may look things up, and throws a Problem where the wish cannot be a command. */
  readonly toCommand: (envelope: Envelope) => Promise<Command>;
}

/**
 * Takes one command: 202 as soon as Temporal has it; with `Prefer: wait` 200 with the cart, or the refusal as a problem, once
 * it is projected. A command id that was used before gives its first outcome again, or 422 for another command.
 */
export async function issue(side: CommandSide, req: Request, res: Response, wish: Wish): Promise<void> {
  const { userId } = validate(cartPath, req.params);
  const key = readIdempotencyKey(req.get('Idempotency-Key'));
  const expectedVersion = readExpectedVersion(req.get('If-Match'));
  const waitSeconds = readWaitSeconds(req.get('Prefer'));
  const commandId = key ?? randomUUID();
  const first = key === undefined ? undefined : await recordedOutcome(side, userId, key);
  if (first !== undefined) {
    assertSameWish(first, wish, expectedVersion);
    res.set('Idempotent-Replayed', 'true');
  } else {
    const envelope = { commandId, issuedAt: new Date().toISOString(), actor: `user:${userId}` };
    const command = await wish.toCommand(expectedVersion === undefined ? envelope : { ...envelope, expectedVersion });
    await send(side, userId, command);
  }
  const outcome = waitSeconds > 0 ? (first ?? (await side.awaitOutcome(userId, commandId, waitSeconds))) : undefined;
  if (outcome === undefined) return accepted(res, userId, commandId);
  assertSameWish(outcome, wish, expectedVersion);
  res.set('Preference-Applied', `wait=${waitSeconds}`);
  if (outcome.status === 'rejected') throw refusal(outcome);
  const cart = await side.readCart(userId);
  res.set({ ETag: `"${cart.version}"`, 'Cache-Control': 'no-store' }).json(cart);
}

function accepted(res: Response, userId: string, commandId: string): void {
  res
    .status(202)
    .location(`/carts/${encodeURIComponent(userId)}/commands/${encodeURIComponent(commandId)}`)
    .json({ commandId, status: 'accepted' });
}

/** Without Postgres no outcome can be looked up; the workflow then recognises the repeat by itself. */
async function recordedOutcome(side: CommandSide, userId: string, key: string): Promise<CommandOutcome | undefined> {
  try {
    return await side.findOutcome(userId, key);
  } catch (error) {
    side.logger.warn({ err: error }, 'no look-up of an earlier outcome: Postgres does not answer');
    return undefined;
  }
}

function assertSameWish(outcome: CommandOutcome, wish: Wish, expectedVersion: number | undefined): void {
  const isSame =
    outcome.type === wish.type &&
    outcome.expectedVersion === expectedVersion &&
    Object.entries(wish.fields).every(([field, value]) => outcome.data[field] === value);
  if (!isSame) {
    throw new Problem(
      422,
      'idempotency_key_reused',
      `The key ${outcome.commandId} belongs to an earlier, different request (${outcome.type}). Use a fresh key for this one.`,
      { commandId: outcome.commandId },
    );
  }
}

async function send(side: CommandSide, userId: string, command: Command): Promise<void> {
  try {
    await side.sendCommand(userId, command);
  } catch (error) {
    if (!(error instanceof TemporalUnavailableError)) throw error;
    side.logger.warn({ err: error.cause }, 'a command could not be handed to Temporal');
    throw new Problem(
      503,
      'temporal_unavailable',
      'It is not known whether the command was taken. Send it again with this commandId as Idempotency-Key: it counts once.',
      { commandId: command.commandId, retryAfterSeconds: 2 },
    );
  }
}

const statusOfCode: Readonly<Record<string, number>> = {
  version_mismatch: 412,
  item_not_in_cart: 409,
  cart_empty: 409,
  version_unknown: 409,
};

function refusal({ commandId, code = 'rejected', reason = 'The command was refused.' }: CommandOutcome): Problem {
  return new Problem(statusOfCode[code] ?? 422, code, reason, { commandId });
}
