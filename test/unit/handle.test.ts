import fc from 'fast-check';
import { commandTypes, parseCommand } from '../../src/contract/parse-command';
import { parseSignal } from '../../src/contract/signals';
import { isMalformed } from '../../src/domain/commands';
import { emptyCheckpoint, handle, handleAgain } from '../../src/domain/handle';
import { rememberedCommands } from '../../src/domain/recent-commands';
import { add, command, decideAll, instant } from '../support/cart-story';
import { malformedSignals } from '../support/malformed-signals';

const context = { now: instant(0), runId: 'run', freshId: () => 'fresh', unprojectedCount: 0 };

/** Whether Postgres can store every text of a value: it has no NUL and no lone surrogate. */
function isStorable(value: unknown): boolean {
  let isFine = true;
  JSON.stringify(value, (key, entry) => {
    for (const text of [key, entry]) {
      if (typeof text === 'string' && (text.includes('\u0000') || !text.isWellFormed())) isFine = false;
    }
    return entry;
  });
  return isFine;
}

describe('a command that arrives twice', () => {
  it('is decided once', () => {
    const once = decideAll([add('pen', 2, { commandId: 'k' })]);
    const twice = decideAll([add('pen', 2, { commandId: 'k' })], once.checkpoint);
    expect(twice.decision).toBeUndefined();
    expect(twice.checkpoint).toBe(once.checkpoint);
  });

  it('is still recognised when the cart remembers just enough commands', () => {
    const first = decideAll([add('pen', 1, { commandId: 'k' })]);
    const others = Array.from({ length: rememberedCommands - 1 }, () => ({ type: 'clearCart' }));
    const later = decideAll(others, first.checkpoint);
    expect(later.checkpoint.recentCommandIds).toHaveLength(rememberedCommands);
    expect(decideAll([add('pen', 1, { commandId: 'k' })], later.checkpoint).decision).toBeUndefined();
  });

  it('is recognised while it is not projected, after any number of other commands', () => {
    let { checkpoint } = handle(emptyCheckpoint, command(add('pen', 1, { commandId: 'k' })), context);
    for (let step = 1; step <= 2 * rememberedCommands; step += 1) {
      ({ checkpoint } = handle(checkpoint, command({ type: 'clearCart' }, step), {
        ...context,
        unprojectedCount: step,
      }));
    }
    const again = handle(checkpoint, command(add('pen', 1, { commandId: 'k' })), {
      ...context,
      unprojectedCount: 2_001,
    });
    expect(again.decision).toBeUndefined();
  });
});

describe('a decision', () => {
  it('has the next sequence, and its events have the next versions, both without gaps', () => {
    const { decisions } = decideAll([
      add('pen'),
      { type: 'removeItem', productId: 'ink' },
      { type: 'clearCart' },
      { type: 'checkOut' },
    ]);
    expect(decisions.map((decision) => decision.sequence)).toEqual([1, 2, 3, 4]);
    expect(decisions.flatMap((decision) => decision.events).map((event) => event.version)).toEqual([1, 2]);
  });

  it('is never earlier than the last event, also when the clock goes back', () => {
    const first = handle(emptyCheckpoint, command(add('pen'), 1), { ...context, now: instant(60) });
    const second = handle(first.checkpoint, command(add('pen'), 2), { ...context, now: instant(5) });
    expect(second.decision?.decidedAt).toBe(instant(60));
    expect(second.checkpoint.cart.updatedAt).toBe(instant(60));
  });

  it('contains the actor, the instants, the command and the run', () => {
    const { decision } = decideAll([add('pen', 1, { actor: 'user:bob', expectedVersion: 0 })]);
    expect(decision).toMatchObject({
      decidedAt: instant(1),
      runId: 'run',
      command: { type: 'addItem', actor: 'user:bob', issuedAt: instant(1), expectedVersion: 0 },
      events: [{ version: 1, occurredAt: instant(1), actor: 'user:bob', commandId: 'c1' }],
    });
  });
});

describe('one id for different commands', () => {
  const first = handle(emptyCheckpoint, command(add('pen', 1, { commandId: 'k' })), context);
  const other = (quantity: number, more = {}) => command(add('pen', quantity, { commandId: 'k', ...more }));

  it('has the later ones on record as rejected, each once, and the first one keep its outcome', () => {
    const second = handle(first.checkpoint, other(2), context);
    expect(second.decision).toMatchObject({
      sequence: 2,
      outcome: 'rejected',
      code: 'idempotency_key_reused',
      command: { commandId: 'k~2', type: 'addItem', data: { quantity: 2 } },
    });
    const third = handle(second.checkpoint, other(3), context);
    expect(third.decision).toMatchObject({ code: 'idempotency_key_reused', command: { commandId: 'k~3' } });
    for (const repeated of [other(1), other(2), other(3)]) {
      expect(handle(third.checkpoint, repeated, context).decision).toBeUndefined();
    }
    expect(third.checkpoint.cart).toEqual(first.checkpoint.cart);
  });

  it('is not another command where only what the server added is different', () => {
    const again = other(1, { issuedAt: instant(9), actor: 'user:bob', unitPrice: 999, name: 'Another name' });
    expect(handle(first.checkpoint, again, context).decision).toBeUndefined();
  });

  it('takes a command whose id looks like that of a reuse for itself', () => {
    const alike = handle(first.checkpoint, other(1, { commandId: 'k~2' }), context);
    expect(alike.decision).toMatchObject({ outcome: 'applied', command: { commandId: 'k~2' } });
    const before = handle(emptyCheckpoint, other(1, { commandId: 'k~2' }), context);
    expect(handle(before.checkpoint, other(1), context).decision).toMatchObject({ outcome: 'applied' });
  });
});

describe('commands that are handled again', () => {
  const story = [
    add('pen'),
    { type: 'removeItem', productId: 'nothing' },
    add('ink', 2, { commandId: 'k' }),
    add('ink', 3, { commandId: 'k' }),
  ];
  const later = { now: instant(50), runId: 'later run', freshId: () => 'fresh' };
  const { decisions } = decideAll(story.map((fields, n) => ({ commandId: `c${n}`, ...fields })));

  it('on the record that has them all give no decision', () => {
    const record =
      decisions.length > 0 ? decideAll(story.map((fields, n) => ({ commandId: `c${n}`, ...fields }))) : undefined;
    expect(handleAgain(record!.checkpoint, decisions, later).decisions).toEqual([]);
  });

  it('on another record are decided as they come, with their own ids', () => {
    const record = decideAll([add('cap', 7, { commandId: 'other' })]).checkpoint;
    const again = handleAgain(record, decisions, later);
    expect(again.decisions.map(({ sequence, command: { commandId } }) => [sequence, commandId])).toEqual([
      [2, 'c0'],
      [3, 'c1'],
      [4, 'k'],
      [5, 'k~5'],
    ]);
    expect(again.checkpoint.cart.items.map(({ productId, quantity }) => [productId, quantity])).toEqual([
      ['cap', 7],
      ['pen', 1],
      ['ink', 2],
    ]);
  });
});

describe('a malformed command', () => {
  it.each(malformedSignals)('is rejected in a form that can be stored: %s', (_what, signal, [payload]) => {
    const [malformed] = parseSignal(signal, payload);
    const { decision, checkpoint } = handle(emptyCheckpoint, malformed!, context);
    expect(decision).toMatchObject({ sequence: 1, outcome: 'rejected', code: 'malformed_command', events: [] });
    expect(checkpoint.cart).toEqual(emptyCheckpoint.cart);
    expect(isStorable(decision)).toBe(true);
    expect(JSON.stringify(decision).length).toBeLessThan(4_000);
  });

  it('does not affect the other commands of its signal', () => {
    const { type, ...good } = command(add('pen'));
    const parsed = parseSignal('commands', [
      { ...good, type },
      null,
      { ...good, type: 'stealItem' },
      { ...good, type },
    ]);
    expect(parsed.map(isMalformed)).toEqual([false, true, true, false]);
  });

  it('is on record once for each payload, also where its id is taken', () => {
    const malformed = parseCommand('addItem', { commandId: 'k' });
    const first = handle(emptyCheckpoint, malformed, context);
    expect(first.decision?.command.commandId).toBe('k');
    expect(handle(first.checkpoint, malformed, context).decision).toBeUndefined();
    const other = handle(first.checkpoint, parseCommand('addItem', { commandId: 'k', quantity: 0 }), context);
    expect(other.decision).toMatchObject({ code: 'malformed_command' });
    expect(other.decision?.command.commandId).toMatch(/^unnamed-/);
  });

  it('gets an id made of its name and payload where it has none', () => {
    const malformed = parseCommand('addItem', { quantity: 'many' });
    const first = handle(emptyCheckpoint, malformed, context);
    expect(first.decision?.command.commandId).toMatch(/^unnamed-/);
    expect(handle(first.checkpoint, malformed, context).decision).toBeUndefined();
    expect(handle(first.checkpoint, parseCommand('addItem', { quantity: 'few' }), context).decision).toBeDefined();
  });

  it('in a run from before there were fingerprints is on record each time', () => {
    const { recentFingerprints: _none, ...earlier } = emptyCheckpoint;
    const malformed = parseCommand('addItem', { commandId: 'k' });
    const first = handle(earlier, malformed, context);
    expect(handle(first.checkpoint, malformed, context).decision?.command.commandId).toBe('fresh');
    expect(first.checkpoint).not.toHaveProperty('recentFingerprints');
  });

  it('never throws and can always be stored', () => {
    const anyType = fc.oneof(fc.constantFrom(...commandTypes), fc.string({ unit: 'binary' }));
    const anyPayload = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.record(
        {
          commandId: fc.oneof(fc.uuid(), fc.jsonValue()),
          issuedAt: fc.oneof(fc.constant(instant(0)), fc.jsonValue()),
          actor: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
          productId: fc.oneof(fc.constant('pen'), fc.jsonValue()),
          name: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
          unitPrice: fc.oneof(fc.nat(), fc.double(), fc.jsonValue()),
          currency: fc.oneof(fc.constant('EUR'), fc.jsonValue()),
          quantity: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anyType, anyPayload, (type, payload) => {
        const parsed = parseCommand(type, payload);
        const { decision } = handle(emptyCheckpoint, parsed, context);
        expect(isStorable(decision)).toBe(true);
        if (isMalformed(parsed)) expect(decision).toHaveProperty('code', 'malformed_command');
      }),
      { numRuns: 2_000 },
    );
  });
});
