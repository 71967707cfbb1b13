import { z } from 'zod';
import type { EventType, LeftOutLine } from '../domain/events';
import type { LineChange } from '../domain/facts';
import { problemStatuses } from './problem-codes';

/*
 * The bodies of answers. Nothing is checked against them while requests are answered: they describe the API, give the
 * code its types, and every answer in the tests is compared with them.
 */

const text = z.string();
const count = z.int().min(0);
const money = z.int().min(0).meta({ description: 'Minor units of the currency.' });
const currency = z.string().regex(/^[A-Z]{3}$/);
const note = text.meta({ description: 'What the customer asks for with the cart, on one line or several.' });
const instant = z.iso.datetime({ precision: 3 });

const attributes = z
  .record(text, z.union([text, z.int(), z.boolean()]))
  .optional()
  .meta({ description: 'What was chosen of the product. Absent where nothing was.' });
const lineIdentity = {
  lineId: text.meta({ description: 'The id of the line: that of its product where it has no attributes.' }),
  productId: text,
  attributes,
};
const line = { ...lineIdentity, name: text, quantity: z.int().min(1), unitPrice: money };

const warningShape = z
  .discriminatedUnion('code', [
    z.strictObject({ code: z.literal('product_unavailable') }),
    z.strictObject({ code: z.literal('price_changed'), unitPrice: money }),
    z.strictObject({ code: z.literal('currency_changed'), currency, unitPrice: money }),
    z.strictObject({ code: z.literal('quantity_limit_exceeded'), maxQuantity: z.int().min(1) }),
  ])
  .meta({ id: 'Warning' }) satisfies z.ZodType<LineChange>;
const warnings = z.array(warningShape).optional().meta({
  description: 'How the catalogue of today differs from the line. Absent where it does not, and in the past.',
});

const cartStatus = z.enum(['empty', 'open', 'merged']);

/** A cart. Its items are in the order in which they were added. */
export const cartShape = z
  .strictObject({
    userId: text,
    version: count,
    status: cartStatus,
    currency: currency.nullable(),
    note: note.nullable(),
    itemCount: count,
    subtotal: money,
    updatedAt: instant.nullable(),
    items: z.array(z.strictObject({ ...line, lineTotal: money, addedAt: instant, warnings })),
  })
  .meta({ id: 'Cart' });

export const acceptedShape = z
  .strictObject({ commandId: text, status: z.literal('accepted') })
  .meta({ id: 'AcceptedCommand' });

const decided = { commandId: text, type: text, issuedAt: instant, decidedAt: instant };

/** What of a guest's line did not fit into the user's cart, and which limit was in the way. */
export const leftOutShape = z
  .strictObject({
    ...line,
    lineId: text.optional().meta({ description: 'The id of the line, where that is not the id of its product.' }),
    code: z.enum(['line_limit_exceeded', 'quantity_limit_exceeded', 'currency_mismatch']),
  })
  .meta({ id: 'LeftOutLine' }) satisfies z.ZodType<LeftOutLine>;

export const leftOutNote = text.meta({ description: 'The note of the guest, where the user keeps another one.' });

/** The outcome of a command; `versions` are those of its events. */
export const outcomeShape = z
  .discriminatedUnion('status', [
    z.strictObject({
      ...decided,
      status: z.literal('applied'),
      versions: z.array(count),
      leftOut: z.array(leftOutShape).optional().meta({ description: 'Of a merge, once it is recorded.' }),
      leftOutNote: leftOutNote.optional(),
    }),
    z.strictObject({
      ...decided,
      status: z.literal('rejected'),
      versions: z.array(count).max(0),
      code: text,
      reason: text,
    }),
  ])
  .meta({ id: 'CommandOutcome' });

export const productShape = z
  .strictObject({
    productId: text,
    name: text,
    unitPrice: money,
    currency,
    maxQuantity: z.int().min(1).optional(),
    available: z.boolean(),
  })
  .meta({ id: 'Product' });

const next = text.optional().meta({ description: 'The address of the next page, where there is one.' });

export const productsShape = z.strictObject({ products: z.array(productShape), next }).meta({ id: 'Products' });

const timelineLine = z.strictObject(line).meta({ id: 'TimelineLine' });
const entry = {
  sequence: z.int().min(1),
  command: text.meta({ description: 'The type of the command.' }),
  commandId: text,
  actor: text.meta({ description: 'Who issued the command.' }),
  onBehalfOf: text.optional().meta({ description: 'The user for whom the actor, an agent, issued it.' }),
  issuedAt: instant,
  occurredAt: instant,
  runId: text,
  run: text.optional().meta({ description: "The run in Temporal's Web UI, where its address is known. For staff." }),
  data: z.record(text, z.unknown()),
};
const eventTypes: Readonly<Record<EventType, true>> = {
  ItemAdded: true,
  ItemQuantityChanged: true,
  ItemRemoved: true,
  ItemRepriced: true,
  NoteChanged: true,
  CartCleared: true,
  CartCheckedOut: true,
  CartRestored: true,
  CartHandedOver: true,
  CartMerged: true,
};
export const eventType = z.enum(Object.keys(eventTypes) as EventType[]);

/** An event, with the lines that it changed, or a rejected command. */
export const timelineEntryShape = z
  .discriminatedUnion('type', [
    z.strictObject({
      ...entry,
      type: eventType,
      version: z.int().min(1),
      before: z.array(timelineLine),
      after: z.array(timelineLine),
    }),
    z.strictObject({ ...entry, type: z.literal('CommandRejected'), code: text, reason: text }),
  ])
  .meta({ id: 'TimelineEntry' });

export const timelineShape = z.strictObject({ events: z.array(timelineEntryShape), next }).meta({ id: 'Timeline' });

const comparedCart = z.strictObject({ version: count, at: instant.optional(), currency: currency.nullable() });
const comparedLine = z.strictObject({ quantity: z.int().min(1), unitPrice: money }).nullable();
const comparedCount = z.strictObject({ before: count, after: count });

/** How a cart differs between two points in time. */
export const differenceShape = z
  .strictObject({
    userId: text,
    from: comparedCart,
    to: comparedCart,
    currency: currency.nullable(),
    items: z.array(
      z.strictObject({
        ...lineIdentity,
        name: text,
        change: z.enum(['added', 'removed', 'changed']),
        before: comparedLine,
        after: comparedLine,
      }),
    ),
    note: z.strictObject({ before: note.nullable(), after: note.nullable() }),
    itemCount: comparedCount,
    subtotal: comparedCount,
  })
  .meta({ id: 'Difference' });

/** The hash chain over the decisions of a cart. */
export const chainShape = z
  .strictObject({
    userId: text,
    decisions: count,
    head: text.nullable().meta({ description: 'The hash of the last decision, in hexadecimal digits.' }),
    isIntact: z.boolean(),
    problems: z.array(z.strictObject({ sequence: count.optional(), version: count.optional(), what: text })),
  })
  .meta({ id: 'Chain' });

const ofProcess = { name: text, startedAt: instant, seenAt: instant };

/** What is going on: the figures of the last hour, and the processes of the last day. */
export const operationsShape = z
  .strictObject({
    at: instant,
    carts: count,
    openCarts: count,
    units: count,
    minutes: z.array(z.strictObject({ minute: instant, applied: count, rejected: count })),
    rejected: z.array(z.strictObject({ code: text, commands: count })),
    workers: z.array(
      z.strictObject({
        ...ofProcess,
        projected: count.meta({ description: 'Batches in the last ten seconds.' }),
        medianLagMs: z.int().meta({ description: 'From the decision to the projection.' }),
        maxLagMs: z.int(),
      }),
    ),
    tasks: z.array(
      z.strictObject({
        ...ofProcess,
        kind: text,
        endedAt: instant.optional(),
        done: count,
        total: count.optional(),
        result: text.optional(),
      }),
    ),
    parked: z.array(z.strictObject({ userId: text, detectedAt: instant, message: text })),
  })
  .meta({ id: 'Operations' });

export const foundCartsShape = z
  .strictObject({
    carts: z.array(
      z.strictObject({
        ...{ userId: text, version: count, status: cartStatus, currency: currency.nullable() },
        ...{ itemCount: count, subtotal: money, updatedAt: instant },
      }),
    ),
    next,
  })
  .meta({ id: 'FoundCarts' });

export const aliveShape = z.strictObject({ status: z.literal('alive') }).meta({ id: 'Alive' });

export const readinessShape = z
  .strictObject({
    status: z.enum(['ready', 'not ready', 'stopping']),
    checks: z.record(text, z.enum(['ok', 'failed'])),
    details: z.record(text, count).optional(),
  })
  .meta({ id: 'Readiness' });

/** An error as RFC 9457 describes. */
export const problemShape = z
  .strictObject({
    type: text,
    title: text,
    status: z.int(),
    detail: text,
    instance: text,
    code: z.enum(Object.keys(problemStatuses)),
    errors: z.array(z.strictObject({ path: text, message: text })).optional(),
    commandId: text.optional(),
    newestVersion: count.optional(),
  })
  .meta({ id: 'Problem' });

export type OperationsView = z.output<typeof operationsShape>;
export type CartView = z.output<typeof cartShape>;
export type TimelineEntry = z.output<typeof timelineEntryShape>;
export type TimelineLine = z.output<typeof timelineLine>;
