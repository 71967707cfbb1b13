import { check } from '../../torture/check/check';
import type {
  Ask,
  CartView,
  CommandAsk,
  Entry,
  Final,
  FinalCart,
  Operation,
  Outcome,
  Violation,
} from '../../torture/check/types';
import { add, added, applied, occurredAt, viewOf } from '../support/torture-history';

let operations: Operation[] = [];
let final: FinalCart;

/** Records an operation that takes one millisecond, from `start` on. */
function record(start: number, ask: Ask, more: Partial<Operation> = {}): void {
  const id = operations.length + 1;
  operations.push({ id, client: 1, cart: 'alice', ask, start, end: start + 1, result: 'ok', ...more });
}

const send = (start: number, key: string, more: Partial<Operation> = {}, ask: Partial<CommandAsk> = {}) =>
  record(start, { ...add, key, ...ask }, { status: 202, body: { commandId: key, status: 'accepted' }, ...more });
const readOutcome = (start: number, commandId: string, body: Outcome | undefined) =>
  record(start, { kind: 'readOutcome', commandId }, body ? { status: 200, body } : { status: 404, body: {} });
const readCart = (start: number, version: number, more: Partial<Operation> = {}) =>
  record(start, { kind: 'readCart' }, { status: 200, body: viewOf(version, version), ...more });

const finalOf = (cart: FinalCart, verify: Final['verify'] = { status: 0, output: '' }): Final => ({
  ...{ recordedSince: occurredAt(0), carts: [cart], verify },
});
const checked = (): Violation[] => check(operations, finalOf(final));
const kinds = () => [...new Set(checked().map(({ kind }) => kind))].sort();

/** Changes what the command with this key asked for. */
const changeAsk = (key: string, changes: Partial<CommandAsk>) => {
  operations = operations.map((operation) => {
    const { ask } = operation;
    return ask.kind === 'command' && ask.key === key ? { ...operation, ask: { ...ask, ...changes } } : operation;
  });
};

/** Three commands, one after the other, each with its outcome read; and what can be read in the end. */
beforeEach(() => {
  operations = [];
  for (const version of [1, 2, 3]) {
    send(version * 100, `k${version}`);
    readOutcome(version * 100 + 20, `k${version}`, applied(`k${version}`, version));
    readCart(version * 100 + 30, version);
  }
  final = {
    cart: 'alice',
    now: viewOf(3, 3),
    last: viewOf(3, 3),
    past: [viewOf(0, 0), viewOf(1, 1), viewOf(2, 2)],
    entries: [added(1), added(2), added(3)],
    outcomes: { k1: applied('k1', 1), k2: applied('k2', 2), k3: applied('k3', 3) },
  };
});

describe('a good history', () => {
  it('passes', () => expect(checked()).toEqual([]));

  it('passes with no operation at all', () => {
    expect(check([], { ...finalOf(final), carts: [] })).toEqual([]);
  });

  it('passes where an unknown command had no effect, and where it had one', () => {
    send(50, 'k0', { result: 'unknown' });
    operations = operations.map((operation) => (operation.id === 1 ? { ...operation, result: 'unknown' } : operation));
    expect(checked()).toEqual([]);
  });

  it('passes where a key was sent several times, late ones included', () => {
    send(100, 'k1');
    send(900, 'k1');
    expect(checked()).toEqual([]);
  });

  it('passes where commands that overlap come in any order', () => {
    operations = [];
    send(100, 'k2', { end: 500 });
    send(101, 'k1', { end: 600 });
    send(102, 'k3', { end: 400 });
    expect(checked()).toEqual([]);
  });

  it('passes where an unknown command without a key had its effect', () => {
    operations = operations.filter(({ ask }) => ask.kind !== 'readOutcome' || ask.commandId !== 'k3');
    operations = operations.map((operation) =>
      operation.ask.kind === 'command' && operation.ask.key === 'k3'
        ? { ...operation, ask: add, result: 'unknown', body: undefined }
        : operation,
    );
    expect(checked()).toEqual([]);
  });

  it('passes with rejected commands, and with those that changed nothing', () => {
    const rejected = { commandId: 'k4', type: 'checkOut', status: 'rejected', code: 'version_mismatch', versions: [] };
    send(400, 'k4', { status: 412, body: { commandId: 'k4', code: 'version_mismatch' } }, { type: 'checkOut' });
    send(500, 'k5', {}, { type: 'removeItem', productId: 'cap' });
    const entry: Entry = {
      ...{ sequence: 4, type: 'CommandRejected', command: 'checkOut', commandId: 'k4', code: 'version_mismatch' },
      ...{ occurredAt: occurredAt(3), data: {} },
    };
    const nothing: Outcome = { commandId: 'k5', type: 'removeItem', status: 'applied', versions: [] };
    final = {
      ...final,
      entries: [...final.entries, entry],
      outcomes: { ...final.outcomes, k4: rejected as Outcome, k5: nothing },
    };
    expect(checked()).toEqual([]);
  });

  it('passes with reads of the past and of the events', () => {
    record(400, { kind: 'readVersion', version: 1 }, { status: 200, body: viewOf(1, 1) });
    record(410, { kind: 'readVersion', version: 9 }, { status: 404, body: { newestVersion: 3 } });
    record(420, { kind: 'readInstant', at: '2030-01-01T00:00:02.500Z' }, { status: 200, body: viewOf(2, 2) });
    record(430, { kind: 'readEvents', after: 1 }, { status: 200, body: { events: [added(2), added(3)] } });
    record(440, { kind: 'readCart', minVersion: 3 }, { status: 200, body: viewOf(3, 3) });
    record(450, { kind: 'readCart', minVersion: 9 }, { status: 404, result: 'fail' });
    expect(checked()).toEqual([]);
  });

  it('does not mix carts', () => {
    record(400, { ...add, key: 'k1' }, { cart: 'bob', status: 202 });
    const bob: FinalCart = {
      ...{ cart: 'bob', now: viewOf(1, 1), last: viewOf(1, 1), past: [], entries: [added(1)] },
      outcomes: { k1: applied('k1', 1) },
    };
    expect(check(operations, { ...finalOf(final), carts: [final, bob] })).toEqual([]);
  });

  it('is checked in seconds when it is long', () => {
    const count = 20_000;
    operations = [];
    const entries: Entry[] = [];
    const outcomes: Record<string, Outcome> = {};
    for (let version = 1; version <= count; version += 1) {
      const isAdd = version % 2 === 1;
      const [key, quantity] = [`k${version}`, isAdd ? 1 : 0];
      const [type, command] = isAdd ? ['ItemAdded', 'addItem' as const] : ['ItemRemoved', 'removeItem' as const];
      send(version * 10, key, {}, { type: command });
      outcomes[key] = { ...applied(key, version), type: command };
      readOutcome(version * 10 + 5, key, outcomes[key]);
      const data = { ...added(1).data, quantity, previousQuantity: 1 - quantity };
      entries.push({ ...added(1, key), sequence: version, version, type, command, data });
    }
    const last: CartView = { ...viewOf(0, 0), version: count, updatedAt: occurredAt(1) };
    const begin = performance.now();
    expect(check(operations, finalOf({ cart: 'alice', now: last, last, past: [], entries, outcomes }))).toEqual([]);
    expect(performance.now() - begin).toBeLessThan(30_000);
  });
});

describe('a bad history is found', () => {
  it('where an acknowledged command is lost', () => {
    send(400, 'k4');
    expect(kinds()).toEqual(['lost-command']);
  });

  it('where a signal that Temporal took is lost', () => {
    record(400, { kind: 'signal', commands: [{ commandId: 'hand-1', type: 'addItem' }], others: 0 });
    expect(kinds()).toEqual(['lost-command']);
  });

  it.each([
    ['under the same id', 'k3'],
    ['under the id of a repeated command', 'k3~4'],
  ])('where a command is decided twice, %s', (_, commandId) => {
    final = { ...final, now: viewOf(4, 4), last: viewOf(4, 4), entries: [...final.entries, added(4, commandId)] };
    expect(kinds()).toEqual(['doubled-command']);
  });

  it('where a command that was answered as without effect has one', () => {
    operations = operations.filter(({ ask }) => ask.kind !== 'readOutcome' || ask.commandId !== 'k3');
    operations = operations.map((operation) =>
      operation.ask.kind === 'command' && operation.ask.key === 'k3'
        ? { ...operation, result: 'fail', status: 503 }
        : operation,
    );
    expect(kinds()).toEqual(['failed-but-applied']);
  });

  it('where something is decided that nobody sent', () => {
    final = { ...final, now: viewOf(4, 4), last: viewOf(4, 4), entries: [...final.entries, added(4, 'nobody')] };
    expect(kinds()).toEqual(['unsent-command']);
  });

  it('where a version is missing', () => {
    final = { ...final, entries: [added(1), added(3)] };
    expect(kinds()).toContain('version-gap');
  });

  it('where the cart is not at the version of its last event', () => {
    final = { ...final, now: viewOf(2, 2), last: viewOf(2, 2) };
    expect(kinds()).toContain('version-gap');
  });

  it('where a command comes before one whose outcome had been read', () => {
    const swapped = [added(1, 'k2'), added(2, 'k1'), added(3)];
    operations = operations.filter(({ ask }) => ask.kind !== 'readCart');
    operations = operations.map((operation) => {
      const { ask } = operation;
      if (ask.kind !== 'readOutcome' || ask.commandId === 'k3') return operation;
      return { ...operation, body: applied(ask.commandId, ask.commandId === 'k1' ? 2 : 1) };
    });
    final = {
      ...final,
      entries: swapped,
      outcomes: { ...final.outcomes, k1: applied('k1', 2), k2: applied('k2', 1) },
    };
    expect(checked()).toEqual([expect.objectContaining({ kind: 'order', commandId: 'k2' })]);
  });

  it('where the cart is not what its events fold to', () => {
    final = { ...final, now: viewOf(3, 5), last: viewOf(3, 5) };
    expect(kinds()).toEqual(['state-not-fold']);
  });

  it('where an event contradicts the events before it', () => {
    const wrong = { ...added(3), data: { ...added(3).data, previousQuantity: 7, quantity: 8 } };
    final = { ...final, entries: [added(1), added(2), wrong] };
    expect(kinds()).toContain('state-not-fold');
  });

  it('where the cart differs from the answer about its last version', () => {
    final = { ...final, last: viewOf(3, 2) };
    expect(kinds()).toEqual(['past-not-present']);
  });

  it('where a past version is not what its events fold to', () => {
    final = { ...final, past: [viewOf(1, 1), viewOf(2, 3)] };
    expect(kinds()).toEqual(['past-not-fold']);
  });

  it('where a client reads an older version than before', () => {
    readCart(400, 2);
    expect(checked()).toEqual([expect.objectContaining({ kind: 'read-went-back' })]);
  });

  it('where a client reads an older version than another client before', () => {
    readCart(400, 2, { client: 2 });
    expect(checked()).toEqual([expect.objectContaining({ kind: 'stale-read' })]);
  });

  it('where an instant shows an older version than was known', () => {
    record(400, { kind: 'readInstant', at: '2030-01-01T00:00:02.500Z' }, { status: 200, body: viewOf(1, 1) });
    expect(kinds()).toEqual(['stale-read']);
  });

  it('where a read shows what no version was', () => {
    record(400, { kind: 'readVersion', version: 2 }, { status: 200, body: viewOf(2, 3) });
    expect(kinds()).toEqual(['read-from-nowhere']);
  });

  it('where a read shows a version before its command was sent', () => {
    readCart(250, 3);
    expect(kinds()).toContain('read-from-nowhere');
  });

  it('where an event that was read is another one in the end', () => {
    record(400, { kind: 'readEvents', after: 2 }, { status: 200, body: { events: [added(3, 'k2')] } });
    expect(kinds()).toEqual(['read-from-nowhere']);
  });

  it('where the look-up and the timeline differ', () => {
    final = { ...final, outcomes: { ...final.outcomes, k3: applied('k3', 4) } };
    operations = operations.filter(({ ask }) => ask.kind !== 'readOutcome');
    expect(kinds()).toEqual(['two-outcomes']);
  });

  it('where a rejected command has events', () => {
    const rejected: Outcome = { ...applied('k3', 3), status: 'rejected', code: 'cart_empty' };
    final = { ...final, outcomes: { ...final.outcomes, k3: rejected } };
    operations = operations.filter(({ ask }) => ask.kind !== 'readOutcome');
    expect(kinds()).toEqual(['two-outcomes']);
  });

  it('where an outcome changed after it was read', () => {
    readOutcome(400, 'k3', { ...applied('k3'), status: 'rejected', code: 'cart_empty' });
    expect(kinds()).toEqual(['outcome-changed']);
  });

  it('where an outcome is not found after it was read', () => {
    readOutcome(400, 'k3', undefined);
    expect(kinds()).toEqual(['outcome-changed']);
  });

  it('where a command did something else than it asked for', () => {
    changeAsk('k3', { quantity: 2 });
    expect(kinds()).toEqual(['other-effect']);
  });

  it('where a command is on record as one of another type', () => {
    changeAsk('k3', { type: 'clearCart' });
    expect(kinds()).toEqual(['other-effect']);
  });

  it('where a command was applied to another version than it expected', () => {
    changeAsk('k3', { expectedVersion: 1 });
    expect(kinds()).toEqual(['if-match-ignored']);
  });

  it('where an answer is older than the version that was asked for', () => {
    record(400, { kind: 'readCart', minVersion: 4 }, { status: 200, body: viewOf(3, 3) });
    expect(kinds()).toEqual(['min-version']);
  });

  it('where the answer of a waiting command does not show its effect', () => {
    operations = operations.filter(({ ask }) => ask.kind === 'command' && ask.key !== 'k3');
    send(300, 'k3', { status: 200, body: viewOf(2, 2) });
    expect(kinds()).toEqual(['min-version']);
  });

  it('where a cart cannot be read in the end', () => {
    const found = check(operations, { ...finalOf(final), carts: [] });
    expect(found.map(({ kind }) => kind)).toEqual(['not-readable']);
  });

  it("where the operators' verify found something", () => {
    const found = check(operations, finalOf(final, { status: 1, output: '1 finding' }));
    expect(found).toEqual([{ kind: 'verify', what: 'ops verify ended with 1: 1 finding' }]);
  });
});
