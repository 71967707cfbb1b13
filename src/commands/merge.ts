import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { mergeCommandId } from '../contract/ids';
import { mergeStrategies } from '../domain/commands';
import { isId } from '../domain/fields';
import { Problem } from '../http/problem';
import { defineRoute, type Route, type RouteRequest } from '../http/route';
import { acceptedShape, cartShape, leftOutNote, leftOutShape } from '../http/shapes';
import { bodyProblems, cartPath, id } from '../http/validation';
import type { CommandOutcome } from '../postgres/log/outcomes';
import { accepted, assertSameRequest, type CommandPorts, findEarlierOutcome, send } from './answer-command';
import { commandHeaders } from './headers';

const mergeBody = z.strictObject({
  from: id
    .refine((from) => isId(mergeCommandId(from)), 'is too long for the id of a guest')
    .meta({ examples: ['guest:0d6c1b9e-6a0c-4bb1-8f5e-2c2f0c0f7a11'], description: 'The guest.' }),
  strategy: z
    .enum(mergeStrategies)
    .default('sum')
    .meta({ description: 'The quantity of a product that both carts have. Lines of the user keep their price.' }),
});

const mergedShape = z
  .strictObject({ cart: cartShape, leftOut: z.array(leftOutShape), leftOutNote: leftOutNote.optional() })
  .meta({ id: 'MergedCart' });

/**
 * Merges a guest's cart into that of a user. The guest's cart records that it is handed over, and takes no commands
 * any more; what it handed over is then sent to the user's cart, as it is on record, under the same id each time.
 */
export const mergeRoute: Route<CommandPorts> = defineRoute(
  {
    name: 'mergeCart',
    method: 'post',
    path: '/carts/{userId}/merge',
    summary: "Puts a guest's cart into that of the user, and closes it",
    access: 'carts:write',
    needsGuest: true,
    rate: 'commands',
    params: cartPath,
    headers: commandHeaders.pick({ 'Idempotency-Key': true, Prefer: true }),
    body: mergeBody,
    answers: {
      200: {
        description: 'The carts are merged; with `Prefer: wait` only. `leftOut` has what did not fit.',
        body: mergedShape,
        headers: { 'Preference-Applied': z.string() },
      },
      202: {
        description: "Temporal has the command. The body names the command of the user's cart.",
        body: acceptedShape,
        headers: { Location: z.string() },
      },
    },
    problems: {
      ...bodyProblems,
      409: ['superseded', 'cart_handed_over'],
      422: ['idempotency_key_reused', 'malformed_command'],
      503: ['temporal_unavailable'],
    },
  },
  async (ports: CommandPorts, request) => {
    const { 'Idempotency-Key': key, Prefer: waitSeconds } = request.headers;
    const { userId } = request.params;
    const { from, strategy } = request.body;
    await assertGuest(request, from, userId);
    const commandId = key ?? randomUUID();
    const handOver = { type: 'handOverCart', fields: { to: userId, strategy } } as const;
    const sendHandOver = () => {
      const envelope = { commandId, issuedAt: new Date().toISOString(), actor: request.actor };
      return send(ports, from, { type: handOver.type, ...envelope, ...handOver.fields });
    };
    const mergeId = mergeCommandId(from);
    const notYet = accepted(userId, mergeId, {});
    const earlier = key === undefined ? undefined : await findEarlierOutcome(ports, from, key);
    if (earlier !== undefined) assertSameRequest(earlier, handOver, {});
    if (waitSeconds === 0) {
      if (earlier === undefined) await sendHandOver();
      return notYet;
    }
    const until = Date.now() + waitSeconds * 1_000;
    const handedOver = earlier ?? (await ports.awaitOutcome(from, commandId, waitSeconds, sendHandOver));
    if (handedOver === undefined) return notYet;
    assertSameRequest(handedOver, handOver, {});
    assertApplied(handedOver);
    const secondsLeft = Math.max(0, (until - Date.now()) / 1_000);
    const merged = await ports.awaitOutcome(userId, mergeId, secondsLeft);
    if (merged === undefined) return notYet;
    assertApplied(merged);
    const cart = await ports.readCart(userId).catch(() => undefined);
    if (cart === undefined) return notYet;
    const { leftOut = [], leftOutNote } = merged;
    return {
      status: 200,
      headers: { 'Preference-Applied': `wait=${waitSeconds}`, 'Cache-Control': 'no-store' },
      body: { cart, leftOut, ...(leftOutNote === undefined ? {} : { leftOutNote }) },
    };
  },
);

/** @throws Problem unless the request has the token of the guest, where tokens are asked for. */
async function assertGuest({ readGuest }: RouteRequest, from: string, userId: string): Promise<void> {
  if (from === userId) throw new Problem(400, 'invalid_request', 'from: must be another user');
  if (readGuest !== undefined && (await readGuest()) !== from) {
    throw new Problem(404, 'cart_unknown', `There is no cart ${from}.`);
  }
}

/** @throws Problem where the command was rejected. */
function assertApplied(outcome: CommandOutcome): asserts outcome is CommandOutcome & { status: 'applied' } {
  if (outcome.status === 'applied') return;
  throw Problem.ofRejection(outcome.code, outcome.reason, { commandId: outcome.commandId });
}
