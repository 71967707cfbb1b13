import { check } from '../../torture/check/check';
import type { CommandAsk, Entry, Operation, Outcome, SignalAsk } from '../../torture/check/types';
import { add, added, applied, occurredAt, viewOf } from '../support/torture-history';

let operations: Operation[] = [];
let entries: Entry[] = [];
let outcomes: Record<string, Outcome> = {};

/** A request that takes one millisecond, from `start` on, and is acknowledged. */
function send(start: number, key: string, ask: Partial<CommandAsk> = {}, more: Partial<Operation> = {}): void {
  const id = operations.length + 1;
  const accepted = { status: 202, body: { commandId: key, status: 'accepted' } };
  const sent = { id, client: 1, cart: 'alice', ask: { ...add, key, ...ask }, start, end: start + 1 };
  operations.push({ ...sent, result: 'ok', ...accepted, ...more });
}

function signal(start: number, commands: SignalAsk['commands']): void {
  const id = operations.length + 1;
  const ask: SignalAsk = { kind: 'signal', commands, others: 0 };
  operations.push({ id, client: 0, cart: 'alice', ask, start, end: start + 1, result: 'ok' });
}

/** Decision n adds a pen and makes version n. */
function apply(commandId: string): void {
  const version = entries.length + 1;
  entries.push(added(version, commandId));
  outcomes[commandId] = applied(commandId, version);
}

function reject(commandId: string, code: string, request: Partial<CommandAsk> = {}, instant = occurredAt(9)): void {
  const { type, ...data } = { type: 'addItem', productId: 'pen', quantity: 1, ...request };
  entries.push({
    ...{ sequence: entries.length + 1, type: 'CommandRejected', command: type, commandId, code, data },
    occurredAt: instant,
  });
  outcomes[commandId] = { commandId, type, status: 'rejected', code, versions: [] };
}

const rejectReuse = (commandId: string, request: Partial<CommandAsk>) =>
  reject(`${commandId}~${entries.length + 1}`, 'idempotency_key_reused', request);

function kinds(): string[] {
  const version = entries.filter((entry) => entry.version !== undefined).length;
  const now = viewOf(version, version);
  const cart = { cart: 'alice', now, last: now, past: [], entries, outcomes };
  const verify = { status: 0, output: '' };
  const violations = check(operations, { recordedSince: occurredAt(0), carts: [cart], verify });
  return [...new Set(violations.map(({ kind }) => kind))].sort();
}

const two = { quantity: 2 };
const three = { quantity: 3 };

beforeEach(() => {
  operations = [];
  entries = [];
  outcomes = {};
});

describe('a request under the key of another command', () => {
  beforeEach(() => {
    send(100, 'k1');
    send(101, 'k1', two);
    apply('k1');
  });

  it('passes where it is recorded as rejected', () => {
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it('passes where it is sent again and recorded once', () => {
    send(102, 'k1', two);
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it('passes where each of several distinct ones is recorded once', () => {
    send(102, 'k1', three);
    send(103, 'k1', { ...two, expectedVersion: 7 });
    rejectReuse('k1', two);
    rejectReuse('k1', three);
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it('passes where it came first and the other request is the reuse', () => {
    [operations, entries, outcomes] = [[], [], {}];
    send(100, 'k1', two);
    send(101, 'k1');
    apply('k1');
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it('passes where the command itself is rejected by a rule', () => {
    [entries, outcomes] = [[], {}];
    reject('k1', 'line_limit_exceeded', two);
    rejectReuse('k1', { quantity: 1 });
    expect(kinds()).toEqual([]);
  });

  it('passes where the command changed nothing', () => {
    [operations, entries, outcomes] = [[], [], {}];
    send(100, 'k1', { type: 'removeItem', productId: 'cap' });
    send(101, 'k1', two);
    outcomes.k1 = { ...applied('k1'), type: 'removeItem' };
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it.each(['fail', 'unknown'] as const)('passes with and without a record where its answer is %s', (result) => {
    operations = operations.map((operation) => (operation.id === 2 ? { ...operation, result } : operation));
    expect(kinds()).toEqual([]);
    rejectReuse('k1', two);
    expect(kinds()).toEqual([]);
  });

  it('is found where it was acknowledged and has no record', () => {
    expect(kinds()).toEqual(['lost-reuse']);
  });

  it('is found where only another one is recorded', () => {
    send(102, 'k1', three);
    rejectReuse('k1', three);
    expect(kinds()).toEqual(['lost-reuse']);
  });

  it('is found where it is recorded twice', () => {
    rejectReuse('k1', two);
    rejectReuse('k1', two);
    expect(kinds()).toEqual(['doubled-reuse']);
  });

  it('is found where it had an effect', () => {
    const sequence = entries.length + 1;
    const data = { ...added(2).data, quantity: 3 };
    entries.push({ ...added(2, `k1~${sequence}`), data });
    expect(kinds()).toContain('applied-reuse');
  });

  it('is found where it is rejected and has an effect', () => {
    rejectReuse('k1', two);
    entries.push(added(2, 'k1~2'));
    expect(kinds()).toContain('applied-reuse');
  });

  it('is found where the look-up does not know its record', () => {
    rejectReuse('k1', two);
    delete outcomes['k1~2'];
    expect(kinds()).toEqual(['two-outcomes']);
  });

  it('is found where a repeat of the command is recorded as one', () => {
    rejectReuse('k1', two);
    rejectReuse('k1', { quantity: 1 });
    expect(kinds()).toEqual(['false-reuse']);
  });

  it('is found where nobody sent what is recorded as one', () => {
    rejectReuse('k1', two);
    rejectReuse('k1', three);
    expect(kinds()).toEqual(['false-reuse']);
  });

  it('is found where it is recorded under the key itself', () => {
    [entries, outcomes] = [[], {}];
    reject('k1', 'idempotency_key_reused');
    expect(kinds()).toContain('false-reuse');
  });
});

describe('a superseded command', () => {
  const clear = { type: 'clearCart' } as const;

  it('passes where a command that was sent later is on record before it', () => {
    send(100, 'k1', clear);
    send(200, 'k2');
    apply('k2');
    reject('k1', 'superseded', clear);
    expect(kinds()).toEqual([]);
  });

  it('passes where the later command changed nothing', () => {
    send(100, 'k1', clear);
    send(200, 'k2', { type: 'removeItem', productId: 'cap' });
    outcomes.k2 = { ...applied('k2'), type: 'removeItem' };
    reject('k1', 'superseded', clear);
    expect(kinds()).toEqual([]);
  });

  it.each([
    ['addItem', {}],
    ['clearCart', clear],
  ])('passes for %s where it was sent more than an hour before', (_, ask) => {
    send(100, 'k1', ask);
    reject('k1', 'superseded', ask, '2030-01-01T01:00:01.000Z');
    expect(kinds()).toEqual([]);
  });

  it('is found where it adds an item and was sent within the hour', () => {
    send(100, 'k1');
    send(200, 'k2');
    apply('k2');
    reject('k1', 'superseded');
    expect(kinds()).toEqual(['wrongly-superseded']);
  });

  it('is found where nothing later is on record before it', () => {
    send(100, 'k2');
    send(200, 'k1', clear);
    apply('k2');
    reject('k1', 'superseded', clear);
    expect(kinds()).toEqual(['wrongly-superseded']);
  });

  it('is found where the later command was decided only afterwards', () => {
    send(100, 'k1', clear);
    send(200, 'k2', { type: 'checkOut' });
    reject('k1', 'superseded', clear);
    reject('k2', 'cart_empty', { type: 'checkOut' });
    expect(kinds()).toEqual(['wrongly-superseded']);
  });
});

describe('a signal by hand with two inputs', () => {
  const malformed = 'malformed_command';

  beforeEach(() => {
    signal(100, [
      { commandId: 'hand-1', type: 'addItem' },
      { commandId: 'hand-2', type: 'addItem', code: malformed },
    ]);
    apply('hand-1');
  });

  it('passes where the first takes effect and the second is recorded as malformed', () => {
    reject('hand-2', malformed);
    expect(kinds()).toEqual([]);
  });

  it('is found where the second is ignored', () => expect(kinds()).toEqual(['lost-command']));

  it('is found where the second takes effect', () => {
    apply('hand-2');
    expect(kinds()).toEqual(['other-effect']);
  });

  it('is found where the second is rejected for another reason', () => {
    reject('hand-2', 'line_limit_exceeded');
    expect(kinds()).toEqual(['other-effect']);
  });

  it('is found where the first is recorded as malformed', () => {
    [entries, outcomes] = [[], {}];
    reject('hand-1', malformed);
    reject('hand-2', malformed);
    expect(kinds()).toEqual(['other-effect']);
  });
});
