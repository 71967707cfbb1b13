import fc from 'fast-check';
import { batchSignalName, parseSignal, toSignal } from '../../src/contract/signals';
import { withoutCut } from '../../src/domain/batch';
import { type Command, isMalformed, type SupersededCommand } from '../../src/domain/commands';
import { emptyCheckpoint, handleAgain, handleAll } from '../../src/domain/handle';
import { limits } from '../../src/domain/limits';
import { add, command, decideAll, instant } from '../support/cart-story';

type Fields = Parameters<typeof command>[0];

/** The commands of a batch as a run receives them. */
function batch(fields: readonly Fields[], { id = 'b', atomic = false } = {}): Command[] {
  const commands = fields.map((each, index) => command({ ...each, commandId: `${id}:${index + 1}` }));
  const size = commands.length;
  return commands.map((each, index) => ({ ...each, batch: { id, place: index + 1, size, atomic } }));
}

const context = { now: instant(0), runId: 'run', freshId: () => 'fresh', unprojectedCount: 0 };
const handleBatch = (fields: readonly Fields[], options = {}, from = emptyCheckpoint) =>
  handleAll(from, batch(fields, options), context);

/** 50 commands, of which the 37th would exceed the limit of a line. */
const fifty = Array.from({ length: 50 }, (_, n) => add(`p${n}`, n === 36 ? 1_000 : 1));

describe('an atomic batch', () => {
  it('whose 37th of 50 commands is rejected changes nothing, and says which one it was', () => {
    const { checkpoint, decisions } = handleBatch(fifty, { atomic: true });
    expect(checkpoint.cart).toMatchObject({ version: 0, items: [] });
    expect(decisions).toHaveLength(50);
    const codes = decisions.map((decision) => (decision.outcome === 'rejected' ? decision.code : decision.outcome));
    expect(codes[36]).toBe('quantity_limit_exceeded');
    expect(new Set(codes.toSpliced(36, 1))).toEqual(new Set(['batch_rejected']));
    expect(decisions[0]).toHaveProperty(
      'reason',
      expect.stringMatching(/^Command 37 of the batch was rejected: .*999/),
    );
  });

  it('is applied as a whole where no command is rejected', () => {
    const { checkpoint, decisions } = handleBatch(fifty.toSpliced(36, 1), { atomic: true });
    expect(checkpoint.cart).toMatchObject({ version: 49 });
    expect(decisions.flatMap(({ events }) => events.map(({ version }) => version))).toEqual(
      Array.from({ length: 49 }, (_, n) => n + 1),
    );
  });

  it('decides each command on the ones before it', () => {
    const steps = [add('pen', 2), { type: 'changeItemQuantity', productId: 'pen', quantity: 1, facts: [] }];
    expect(handleBatch([...steps, { type: 'checkOut' }], { atomic: true }).checkpoint.cart.version).toBe(3);
  });

  it('is rejected as a whole where one of its commands came too late', () => {
    const [first, second] = batch([add('pen'), { type: 'clearCart' }], { atomic: true });
    const late: SupersededCommand = { superseded: second!, reason: 'It is too late.' };
    const { decisions } = handleAll(emptyCheckpoint, [first!, late], context);
    expect(decisions).toMatchObject([{ code: 'batch_rejected' }, { code: 'superseded' }]);
  });
});

it('a batch that is not atomic applies the 49 others', () => {
  const { checkpoint, decisions } = handleBatch(fifty);
  expect(checkpoint.cart).toMatchObject({ version: 49 });
  expect(decisions.filter(({ outcome }) => outcome === 'rejected')).toMatchObject([
    { command: { commandId: 'b:37' }, code: 'quantity_limit_exceeded' },
  ]);
});

describe.each([true, false])('a batch (atomic: %s)', (atomic) => {
  it('expects a version before its first command', () => {
    const { checkpoint } = decideAll([add('ink')]);
    const steps = (expectedVersion: number) => [add('pen'), add('pad')].map((each) => ({ ...each, expectedVersion }));
    const right = handleBatch(steps(1), { atomic }, checkpoint);
    expect(right.decisions.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    const wrong = handleBatch(steps(2), { atomic, id: 'other' }, checkpoint);
    expect(wrong.decisions[0]).toMatchObject({ code: 'version_mismatch' });
    expect(wrong.checkpoint.cart).toEqual(checkpoint.cart);
  });

  it('that comes again has no further effect', () => {
    const once = handleBatch(fifty, { atomic });
    const again = handleBatch(fifty, { atomic }, once.checkpoint);
    expect(again.decisions).toEqual([]);
  });

  it('under the id of another batch is rejected', () => {
    const { checkpoint } = handleBatch([add('pen'), add('ink')], { atomic });
    const other = handleBatch([add('pen'), add('pad')], { atomic }, checkpoint);
    expect(other.decisions).toMatchObject([{ code: 'idempotency_key_reused' }]);
    expect(other.checkpoint.cart).toEqual(checkpoint.cart);
  });

  it('is decided again as one', () => {
    const { decisions } = handleBatch(fifty, { atomic });
    const again = handleAgain(decideAll([add('p0')]).checkpoint, decisions, context);
    expect(again.decisions.map(({ outcome }) => outcome)).toEqual(decisions.map(({ outcome }) => outcome));
  });

  it('goes through a signal unchanged', () => {
    const commands = batch(fifty, { atomic });
    const { signal, signalArgs } = toSignal(commands);
    expect(signal).toBe(batchSignalName);
    expect(parseSignal(signal, JSON.parse(JSON.stringify(signalArgs[0])))).toEqual(commands);
  });
});

describe('a signal by hand is one malformed command where its batch', () => {
  const entry = (n = 1, more = {}) => ({ ...command({ ...add('pen'), commandId: `b:${n}` }), ...more });
  const restore = { type: 'restoreCart', version: 0, items: [], currency: null };
  it.each([
    ['is no object', 'all'],
    ['has no id', { atomic: true, commands: [entry()] }],
    ['does not say whether it is atomic', { id: 'b', commands: [entry()] }],
    ['has no commands', { id: 'b', atomic: true, commands: [] }],
    ['has 51 commands', { id: 'b', atomic: true, commands: Array.from({ length: 51 }, (_, n) => entry(n)) }],
    ['has one that cannot be read', { id: 'b', atomic: true, commands: [entry(), { type: 'addItem' }] }],
    ['has an id twice', { id: 'b', atomic: true, commands: [entry(), entry()] }],
    ['has a restore, whose size has no small bound', { id: 'b', atomic: true, commands: [entry(2, restore)] }],
    [
      'has two checkouts',
      { id: 'b', atomic: true, commands: [command({ type: 'checkOut' }), command({ type: 'checkOut' }, 2)] },
    ],
  ])('%s', (_what, payload) => {
    const parsed = parseSignal(batchSignalName, payload);
    expect(parsed).toHaveLength(1);
    expect(isMalformed(parsed[0]!)).toBe(true);
  });
});

it('no cut goes through a batch, and something is always taken', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: limits.commandsPerBatch }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.nat(200), (lengths, wanted) => {
      // A length of 0 stands for a command that is in no batch.
      const places = lengths.flatMap((size, n) =>
        size === 0
          ? [undefined]
          : Array.from({ length: size }, (_, index) => ({ id: `b${n}`, place: index + 1, size, atomic: true })),
      );
      const count = Math.max(1, Math.min(wanted, places.length));
      const taken = withoutCut(places.length, count, (index) => places[index]);
      const [last, next] = [places[taken - 1], places[taken]];
      expect(taken).toBeGreaterThan(0);
      expect(last === undefined || last.id !== next?.id).toBe(true);
      expect(taken).toBeLessThanOrEqual(Math.max(count, limits.commandsPerBatch));
    }),
  );
});
