import fc from 'fast-check';
import { gatherCommands } from '../../src/commands/gather-commands';
import { bytesOf, payloadLimits } from '../../src/contract/payload-limits';
import { toSignal } from '../../src/contract/signals';
import type { CheckOut, Command, RestoreCart } from '../../src/domain/commands';
import { emptyCheckpoint, handleAll, type RecordedDecision, toCarriedCheckpoint } from '../../src/domain/handle';
import { limits } from '../../src/domain/limits';
import { lineWith } from '../../src/domain/lines';
import { takeBatch } from '../../workflows/batch';
import { instant } from '../support/cart-story';

const serverLimit = 2 * 1024 * 1024;
/** What Temporal puts around a payload: its encoding, and lengths. */
const overhead = 200;

const longestAttributes = (letter: string) => {
  const room = limits.attributesLength - JSON.stringify({ a: '' }).length;
  return { a: letter.repeat(Math.floor(room / (JSON.stringify(letter).length - 2))) };
};

/**
 * The largest restore there can be: every line with an id, a name and attributes of greatest length, and a new note, in
 * characters of three bytes.
 */
const largestRestore = (step: number, letter = '茶'): RestoreCart => ({
  type: 'restoreCart',
  commandId: `${step}`.padEnd(limits.idLength, 'c'),
  issuedAt: instant(step),
  actor: letter.repeat(limits.actorLength),
  expectedVersions: Array(limits.expectedVersions).fill(Number.MAX_SAFE_INTEGER),
  version: 0,
  currency: 'EUR',
  note: `${step}`.padEnd(limits.noteLength, letter),
  items: Array.from({ length: limits.linesPerCart }, (_, line) => ({
    ...lineWith(`${line}`.padEnd(limits.idLength, 'p'), longestAttributes(letter)),
    name: letter.repeat(limits.nameLength),
    unitPrice: limits.unitPrice,
    quantity: 1 + ((step + line) % limits.quantityPerProduct),
    addedAt: instant(0),
    addedVersion: 1,
  })),
});

/** The largest checkout: it has all the facts that a command can have, and each line has another price. */
function largestCheckOut(step: number): CheckOut {
  const { commandId, issuedAt, actor, expectedVersions } = largestRestore(step);
  const facts = Array.from({ length: limits.factsPerCommand }, (_, line) => ({
    ...{ productId: `${line}`.padEnd(limits.idLength, 'p'), available: true as const },
    ...{ unitPrice: limits.unitPrice - 1, currency: 'EUR', maxQuantity: Number.MAX_SAFE_INTEGER },
  }));
  const shown = { expectedTotal: Number.MAX_SAFE_INTEGER, acceptChanges: true };
  return { type: 'checkOut', commandId, issuedAt, actor, expectedVersions: expectedVersions!, facts, ...shown };
}

const context = { now: instant(0), runId: 'r'.repeat(36), freshId: () => 'fresh', unprojectedCount: 0 };
const decide = (commands: readonly Command[]) => handleAll(emptyCheckpoint, commands, context);

const expecting = (version: number): number[] => [
  version,
  ...Array(limits.expectedVersions - 1).fill(Number.MAX_SAFE_INTEGER),
];

/** The total of the n-th restored cart, at the prices of the checkout. */
const totalOf = (step: number): number =>
  largestRestore(step).items.reduce((sum, { quantity }) => sum + quantity * (limits.unitPrice - 1), 0);

function inBatches(decisions: readonly RecordedDecision[]): (readonly RecordedDecision[])[] {
  const batches: (readonly RecordedDecision[])[] = [];
  for (let left = decisions; left.length > 0; left = left.slice(batches.at(-1)!.length)) batches.push(takeBatch(left));
  return batches;
}

describe('the largest commands there can be', () => {
  const restores = Array.from({ length: 40 }, (_, step) => largestRestore(step));

  it('fit into a signal, as many as are sent together', async () => {
    const signals: (readonly Command[])[] = [];
    const send = gatherCommands({
      begin: () => undefined,
      send: async (_userId, commands) => void signals.push(commands),
    });
    await Promise.all(restores.map((restore) => send('alice', restore)));
    expect(signals.flat()).toEqual(restores);
    for (const commands of signals) {
      expect(bytesOf(toSignal(commands).signalArgs[0]) + overhead).toBeLessThan(serverLimit);
    }
    expect(signals.length).toBeLessThan(restores.length / 2);
  });

  it('fit into a signal, also as checkouts', () => {
    const checkOuts = Array.from({ length: limits.commandsPerSignal }, (_, step) => largestCheckOut(step));
    expect(bytesOf(toSignal(checkOuts).signalArgs[0]) + overhead).toBeLessThan(serverLimit);
  });

  it('fit into a signal, and are projected as one, as a batch of a client', () => {
    const wide = { ...largestRestore(1), name: '茶'.repeat(limits.nameLength), currency: 'EUR' };
    const { commandId: _id, items: _items, note: _note, version: _version, ...envelope } = wide;
    const commands = Array.from({ length: limits.commandsPerBatch }, (_, n): Command => {
      const batch = { id: 'b'.repeat(125), place: n + 1, size: limits.commandsPerBatch, atomic: false };
      const commandId = `${batch.id}:${n + 1}`;
      const expectedVersions = expecting(0);
      if (n === 49) return { ...largestCheckOut(1), commandId, expectedVersions, batch };
      const productId = `${n}`.padEnd(limits.idLength, 'p');
      const attributes = longestAttributes('茶');
      const added = { productId, attributes, quantity: limits.quantityPerProduct, unitPrice: limits.unitPrice };
      return { ...envelope, ...added, type: 'addItem', commandId, expectedVersions, batch };
    });
    const { decisions } = decide(commands);
    expect(decisions).toHaveLength(limits.commandsPerBatch);
    expect(bytesOf(toSignal(commands).signalArgs[0]) + overhead).toBeLessThan(serverLimit);
    expect(takeBatch(decisions)).toHaveLength(limits.commandsPerBatch);
    expect(bytesOf({ userId: 'u'.repeat(limits.idLength), decisions }) + overhead).toBeLessThan(serverLimit);
  });

  it('are projected, as a merge of 100 lines into a cart that has room for all or for none', () => {
    const { items } = largestRestore(1);
    const merge = (step: number, version: number): Command => ({
      ...{ type: 'mergeCart', commandId: `m${step}`, issuedAt: instant(step), actor: '茶'.repeat(limits.actorLength) },
      ...{ expectedVersions: expecting(version), from: 'g'.repeat(122), strategy: 'sum', currency: 'EUR' },
      note: `${step}`.padEnd(limits.noteLength, '茶'),
      items: items.map((item) => {
        const line = lineWith(`${step}${item.productId}`.slice(0, limits.idLength), item.attributes);
        return { ...item, ...line };
      }),
    });
    const { decisions } = decide([merge(1, 0), merge(2, 102)]);
    expect(decisions.map(({ events }) => events.length)).toEqual([102, 1]);
    for (const decision of decisions) expect(bytesOf([decision]) + overhead).toBeLessThan(serverLimit / 4);
  });

  it('are projected in batches that fit into a payload, each decision once and in order', () => {
    const bought = Array.from({ length: 20 }, (_, n): Command[] => [
      { ...largestRestore(100 + n), expectedVersions: expecting(n * 102) },
      { ...largestCheckOut(200 + n), expectedVersions: expecting(n * 102 + 1), expectedTotal: totalOf(100 + n) },
    ]);
    const { decisions } = decide([...restores, ...bought.flat()]);
    expect(decisions.at(-1)!.events).toHaveLength(101);
    const batches = inBatches(decisions);
    expect(batches.flat()).toEqual(decisions);
    for (const batch of batches) {
      const after = {
        sequence: 1,
        commandId: 'c'.repeat(limits.idLength),
        runId: context.runId,
        decidedAt: instant(0),
      };
      const input = { userId: 'u'.repeat(limits.idLength), decisions: batch, after };
      expect(bytesOf(input) + overhead).toBeLessThan(serverLimit);
    }
  });

  it('leave a state that can be carried once they are projected', () => {
    const { checkpoint } = decide(Array.from({ length: 1_500 }, (_, step) => largestRestore(step, '\\')));
    const carried = { schema: 1, checkpoint: toCarriedCheckpoint(checkpoint, 0), unprojected: [] };
    expect(JSON.stringify(carried).length).toBeLessThan(payloadLimits.carriedLength);
    expect(checkpoint.recentCommandIds.length).toBeGreaterThanOrEqual(1_500);
  });
});

it('a batch has 200 decisions at most, and as many as fit', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 300_000 }), { minLength: 1, maxLength: 450 }), (sizes) => {
      const [sample] = decide([largestRestore(1)]).decisions;
      const decisions = sizes.map((size) => ({
        ...sample!,
        command: { ...sample!.command, data: { text: 'x'.repeat(size) } },
        events: [],
      }));
      const batches = inBatches(decisions);
      expect(batches.flat()).toEqual(decisions);
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        expect(batch.length).toBeLessThanOrEqual(200);
        expect(bytesOf(batch)).toBeLessThanOrEqual(payloadLimits.batchBytes + 2);
        const isFull =
          batch.length === 200 || next === undefined || bytesOf([...batch, next]) > payloadLimits.batchBytes;
        expect(isFull).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});
