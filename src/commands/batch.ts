import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type BatchPlace, batchCommandId } from '../domain/batch';
import type { Command, Envelope } from '../domain/commands';
import { isId } from '../domain/fields';
import { limits } from '../domain/limits';
import { Problem } from '../http/problem';
import { defineRoute, type Route } from '../http/route';
import { cartShape, outcomeShape } from '../http/shapes';
import { bodyProblems, cartPath, lineId } from '../http/validation';
import { type CommandOutcome, toPublic } from '../postgres/log/outcomes';
import { accepted, assertSameRequest, type CommandPorts, send, toExpected, unlessAway } from './answer-command';
import { addItemBody, changeItemQuantityBody, changeNoteBody, checkOutBody } from './carts';
import { rejectLookUp } from './facts';
import { commandHeaders } from './headers';
import { addItemFields, checkOutFields, lineFields, makeChange, makeCheckOut } from './make-command';

const commandOfBatch = z.discriminatedUnion('type', [
  addItemBody.extend({ type: z.literal('addItem') }),
  changeItemQuantityBody.extend({ type: z.literal('changeItemQuantity'), lineId }),
  z.strictObject({ type: z.literal('removeItem'), lineId }),
  z.strictObject({ type: z.literal('clearCart') }),
  changeNoteBody.extend({ type: z.literal('changeNote') }),
  checkOutBody.extend({ type: z.literal('checkOut') }),
]);
type CommandOfBatch = z.output<typeof commandOfBatch>;

const batchBody = z.strictObject({
  commands: z
    .array(commandOfBatch)
    .min(1)
    .max(limits.commandsPerBatch)
    .refine((commands) => commands.filter(({ type }) => type === 'checkOut').length <= 1, 'can have one checkOut')
    .meta({
      examples: [
        [
          { type: 'addItem', productId: 'espresso', quantity: 2 },
          { type: 'removeItem', lineId: 'mug' },
        ],
      ],
    }),
  atomic: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether all are applied, or none. If absent, each has its own outcome.' }),
});

const acceptedBatchShape = z
  .strictObject({ commandId: z.string(), status: z.literal('accepted'), commandIds: z.array(z.string()) })
  .meta({ id: 'AcceptedBatch' });
const decidedBatchShape = z
  .strictObject({ cart: cartShape, outcomes: z.array(outcomeShape) })
  .meta({ id: 'DecidedBatch' });

/** Sends several commands at once. They are decided one after another, with no other command between them. */
export const batchRoute: Route<CommandPorts> = defineRoute(
  {
    name: 'sendCommands',
    method: 'post',
    path: '/carts/{userId}/commands',
    summary: 'Sends several commands as one: a batch',
    access: 'carts:write',
    rate: 'commands',
    params: cartPath,
    headers: commandHeaders,
    body: batchBody,
    answers: {
      200: {
        description: 'The commands are projected; with `Prefer: wait` only. Each has an outcome.',
        body: decidedBatchShape,
        headers: { 'Preference-Applied': z.string(), 'Idempotent-Replayed': z.string().optional() },
      },
      202: {
        description: 'Temporal has the commands. From now on they are durable.',
        body: acceptedBatchShape,
        headers: { Location: z.string(), 'Idempotent-Replayed': z.string().optional() },
      },
    },
    problems: {
      ...bodyProblems,
      409: [
        ...(['superseded', 'cart_handed_over', 'item_not_in_cart', 'cart_empty'] as const),
        ...(['price_changed', 'total_mismatch', 'try_again', 'batch_rejected'] as const),
      ],
      412: ['version_mismatch'],
      422: [
        ...(['idempotency_key_reused', 'product_unavailable', 'quantity_limit_exceeded'] as const),
        ...(['line_limit_exceeded', 'currency_mismatch', 'malformed_command'] as const),
      ],
      503: ['temporal_unavailable', 'catalogue_unavailable'],
    },
  },
  async (ports: CommandPorts, { params: { userId }, headers: requestHeaders, body, actor }) => {
    const { 'Idempotency-Key': key, 'If-Match': versions, Prefer: waitSeconds } = requestHeaders;
    const id = key ?? randomUUID();
    assertCanBeBatchId(id);
    const batch: Batch = { ...body, id, expected: toExpected(versions) };
    const found = key === undefined ? undefined : await unlessAway(ports, () => ports.findBatch(userId, key));
    const earlier = found?.length ? found : undefined;
    if (earlier !== undefined) assertSameBatch(earlier, batch);
    const replayed: Record<string, string> = earlier === undefined ? {} : { 'Idempotent-Replayed': 'true' };
    const sendNew = async () => {
      const commands = await makeCommands(ports, userId, batch, actor);
      await send(ports, userId, ...commands);
    };
    const commandIds = batch.commands.map((_, index) => batchCommandId(id, index + 1));
    const notYet = {
      ...accepted(userId, commandIds[0]!, replayed),
      body: { commandId: id, status: 'accepted', commandIds },
    };
    if (waitSeconds === 0) {
      if (earlier === undefined) await sendNew();
      return notYet;
    }
    const outcomes = earlier ?? (await ports.awaitBatch(userId, id, waitSeconds, sendNew));
    if (outcomes === undefined) return notYet;
    assertSameBatch(outcomes, batch);
    const headers = { ...replayed, 'Preference-Applied': `wait=${waitSeconds}` };
    if (batch.atomic) assertApplied(outcomes, headers);
    const cart = await ports.readCart(userId).catch(() => undefined);
    if (cart === undefined) return notYet;
    return {
      status: 200,
      headers: { ...headers, 'Cache-Control': 'no-store' },
      body: { cart, outcomes: outcomes.map(toPublic) },
    };
  },
);

/** What the client asked for. */
interface Batch extends z.output<typeof batchBody> {
  readonly id: string;
  readonly expected: ReturnType<typeof toExpected>;
}

function assertCanBeBatchId(id: string): void {
  if (isId(batchCommandId(id, limits.commandsPerBatch))) return;
  throw new Problem(400, 'invalid_request', 'Idempotency-Key: is too long for a batch');
}

/** @throws Problem that says which command was rejected, and why. */
function assertApplied(outcomes: readonly CommandOutcome[], headers: Readonly<Record<string, string>>): void {
  const index = outcomes.findIndex((each) => each.status === 'rejected' && each.code !== 'batch_rejected');
  const rejected = outcomes[index];
  if (rejected?.status !== 'rejected') return;
  const { code, reason, commandId } = rejected;
  const detail = `Nothing was changed, because command ${index + 1} of the batch was rejected: ${reason}`;
  throw Problem.ofRejection(code, detail, { commandId, headers });
}

/** What of a command comes from the request, as it is recorded. */
function toRequest(command: CommandOfBatch): Parameters<typeof assertSameRequest>[1] {
  const { type } = command;
  switch (type) {
    case 'addItem':
      return { type, fields: addItemFields(command) };
    case 'changeItemQuantity':
      return { type, fields: { ...lineFields(command.lineId), quantity: command.quantity } };
    case 'removeItem':
      return { type, fields: lineFields(command.lineId) };
    case 'clearCart':
      return { type, fields: {} };
    case 'changeNote':
      return { type, fields: { note: command.note } };
    case 'checkOut':
      return { type, fields: checkOutFields(command) };
  }
}

/** @throws Problem 422 where these are the outcomes of another batch under the same key. */
function assertSameBatch(outcomes: readonly CommandOutcome[], { id, commands, atomic, expected }: Batch): void {
  const place = outcomes[0]!.data.batch as BatchPlace;
  if (outcomes.length !== commands.length || place.size !== commands.length || place.atomic !== atomic) {
    const detail = `The key ${id} was used for a different batch. Use another key for this one.`;
    throw new Problem(422, 'idempotency_key_reused', detail, { commandId: id });
  }
  for (const [index, command] of commands.entries()) assertSameRequest(outcomes[index]!, toRequest(command), expected);
}

/** A checkout is looked up after the other commands, for it buys what they add. */
async function makeCommands(ports: CommandPorts, userId: string, batch: Batch, actor: string): Promise<Command[]> {
  const { id, commands: asked, atomic, expected } = batch;
  const envelopes = asked.map(
    (_, index): Envelope => ({
      ...{ commandId: batchCommandId(id, index + 1), issuedAt: new Date().toISOString(), actor, ...expected },
      batch: { id, place: index + 1, size: asked.length, atomic },
    }),
  );
  const make = (command: CommandOfBatch, index: number) => makeCommand(ports, envelopes[index]!, command);
  const commands = await Promise.all(asked.map(make));
  for (const command of commands) if (command !== undefined) ports.recentProducts.add(userId, command);
  const place = commands.indexOf(undefined);
  const checkOut = asked[place];
  if (checkOut?.type === 'checkOut') commands[place] = await makeCheckOut(ports, userId, envelopes[place]!, checkOut);
  return commands as Command[];
}

/** @returns undefined for a checkout. */
async function makeCommand(
  ports: CommandPorts,
  envelope: Envelope,
  command: CommandOfBatch,
): Promise<Command | undefined> {
  switch (command.type) {
    case 'addItem':
      return makeAddition(ports, envelope, command);
    case 'changeItemQuantity':
      return makeChange(ports, envelope, { ...lineFields(command.lineId), quantity: command.quantity });
    case 'removeItem':
      return { type: 'removeItem', ...envelope, ...lineFields(command.lineId) };
    case 'clearCart':
      return { type: 'clearCart', ...envelope };
    case 'changeNote':
      return { type: 'changeNote', ...envelope, note: command.note };
    case 'checkOut':
      return undefined;
  }
}

/** In a batch, a product that cannot be added is for the cart to reject: the other commands may go on. */
async function makeAddition(
  { catalogue }: CommandPorts,
  envelope: Envelope,
  command: CommandOfBatch & { readonly type: 'addItem' },
): Promise<Command> {
  const asked = addItemFields(command);
  const product = await catalogue.find(asked.productId).catch(rejectLookUp);
  if (!product?.available) return { type: 'addItem', ...envelope, ...asked, available: false };
  const { available: _available, ...offered } = product;
  return { type: 'addItem', ...envelope, ...offered, ...asked };
}
