import type { MergeStrategy } from '../../src/domain/commands';
import type { RecordedDecision } from '../../src/domain/handle';
import { lineIdOf } from '../../src/domain/lines';
import { type Cart, itemCountOf, statusOf, subtotalOf } from '../../src/domain/state';
import { check } from '../../torture/check/check';
import type { CartView, Entry, FinalCart, Operation, Outcome, Sending } from '../../torture/check/types';
import { add, decideAll, instant } from '../support/cart-story';

const toEntries = ({ command, sequence, decidedAt, ...decision }: RecordedDecision): Entry[] => {
  const entry = { sequence, command: command.type, commandId: command.commandId, occurredAt: decidedAt };
  if (decision.outcome === 'applied') {
    return decision.events.map(({ type, data, version }) => ({ ...entry, type, data: { ...data }, version }));
  }
  return [{ ...entry, type: 'CommandRejected', data: command.data, code: decision.code }];
};

const toOutcome = ({ command: { commandId, type }, ...decision }: RecordedDecision): Outcome =>
  decision.outcome === 'applied'
    ? { commandId, type, status: 'applied', versions: decision.events.map(({ version }) => version) }
    : { commandId, type, status: 'rejected', versions: [], code: decision.code };

const toView = (cart: Cart): CartView => ({
  ...{ version: cart.version, status: statusOf(cart), currency: cart.currency, note: cart.note ?? null },
  ...{ updatedAt: cart.updatedAt, itemCount: itemCountOf(cart.items), subtotal: subtotalOf(cart.items) },
  items: cart.items.map(({ attributes, ...item }) => ({
    ...{ ...item, ...(attributes === undefined ? {} : { attributes }) },
    ...{ lineId: lineIdOf(item), lineTotal: item.quantity * item.unitPrice },
  })),
});

type Commands = Parameters<typeof decideAll>[0];

/** What can be read in the end of a cart that has had these commands. */
function finalOf(cart: string, commands: Commands): FinalCart {
  const { checkpoint, decisions } = decideAll(commands);
  const now = toView(checkpoint.cart);
  const outcomes = Object.fromEntries(decisions.map((each) => [each.command.commandId, toOutcome(each)]));
  return { cart, now, last: now, past: [], entries: decisions.flatMap(toEntries), outcomes };
}

/** Each is sent on its own, one after another, and taken. */
function checkSent(carts: readonly FinalCart[], sent: readonly (readonly [cart: string, ask: Sending])[]): string[] {
  const operations = sent.map(
    ([cart, ask], index): Operation => ({
      ...{ id: index + 1, client: 1, cart, ask, start: index * 10, end: index * 10 + 1, result: 'ok', status: 202 },
      body: {},
    }),
  );
  const final = { recordedSince: instant(0), carts, verify: { status: 0, output: '' } };
  return [...new Set(check(operations, final).map(({ kind }) => kind))].sort();
}

const changeEntry = (cart: FinalCart, type: string, data: object): FinalCart => ({
  ...cart,
  entries: cart.entries.map((entry) => (entry.type === type ? { ...entry, data: { ...entry.data, ...data } } : entry)),
});

describe('a batch', () => {
  const ask: Sending = {
    ...{ kind: 'batch', key: 'b', atomic: true, waitSeconds: 0 },
    commands: [
      { type: 'addItem', productId: 'pen', quantity: 2, attributes: { size: 'S' } },
      { type: 'changeNote', note: 'ring' },
      { type: 'removeItem', productId: 'ink' },
      { type: 'checkOut' },
    ],
  };
  const [first, ...others] = [
    add('pen', 2, { attributes: { size: 'S' }, commandId: 'b:1' }),
    { type: 'changeNote', note: 'ring', commandId: 'b:2' },
    { type: 'removeItem', productId: 'ink', commandId: 'b:3' },
    { type: 'checkOut', commandId: 'b:4' },
  ] as const;
  const checked = (commands: Commands, sent = ask) => checkSent([finalOf('alice', commands)], [['alice', sent]]);

  it('passes where its commands are decided one after another', () => expect(checked([first, ...others])).toEqual([]));

  it('is torn where another command is between its own', () => {
    const between = add('pad', 1, { commandId: 'k' });
    const sent = { kind: 'command', type: 'addItem', productId: 'pad', quantity: 1, key: 'k', waitSeconds: 0 } as const;
    const final = finalOf('alice', [first, between, ...others]);
    const sentBoth = [
      ['alice', sent],
      ['alice', ask],
    ] as const;
    expect(checkSent([final], sentBoth)).toEqual(['torn-batch']);
  });

  it('is torn where one of its commands is not on record', () => {
    expect(checked([first, ...others.slice(0, -1)])).toEqual(['lost-command', 'torn-batch']);
  });

  it('is torn where it is atomic and only some of its commands are applied', () => {
    const late = { ...others[2], expectedVersion: 9 };
    expect(checked([first, ...others.slice(0, -1), late])).toEqual(['torn-batch']);
    expect(checked([first, ...others.slice(0, -1), late], { ...ask, atomic: false })).toEqual([]);
  });

  it('must begin at the version that it expects', () => {
    expect(checked([first, ...others], { ...ask, expectedVersion: 0 })).toEqual([]);
    expect(checked([first, ...others], { ...ask, expectedVersion: 1 })).toEqual(['if-match-ignored']);
  });
});

describe('a line', () => {
  const commands = [add('pen', 1, { attributes: { size: 'S' } }), add('pen', 1, { attributes: { size: 'M' } })];
  const sent = (['S', 'M'] as const).map((size, index) => {
    const fields = { type: 'addItem', productId: 'pen', quantity: 1, attributes: { size } } as const;
    return ['alice', { kind: 'command', ...fields, key: `c${index + 1}`, waitSeconds: 0 }] as const;
  });
  const final = finalOf('alice', commands);

  it('passes where other attributes make another line', () => expect(checkSent([final], sent)).toEqual([]));

  it('must have the id of its product and its attributes', () => {
    const [lineId] = final.entries.map(({ data }) => data.lineId);
    expect(checkSent([changeEntry(final, 'ItemAdded', { lineId })], sent)).toContain('state-not-fold');
  });
});

describe('a note', () => {
  const sent = [['alice', { kind: 'command', type: 'changeNote', note: 'ring', key: 'c1', waitSeconds: 0 }]] as const;
  const final = finalOf('alice', [{ type: 'changeNote', note: 'ring' }]);

  it('passes where it is what was asked for', () => expect(checkSent([final], sent)).toEqual([]));
  it('must be what was asked for', () => {
    const other = finalOf('alice', [{ type: 'changeNote', note: 'knock' }]);
    expect(checkSent([other], sent)).toEqual(['other-effect']);
  });
  it('must say what was before it', () => {
    expect(checkSent([changeEntry(final, 'NoteChanged', { previousNote: 'knock' })], sent)).toEqual(['state-not-fold']);
  });
  it('must be in the cart in the end', () => {
    const now = { ...final.now, note: null };
    expect(checkSent([{ ...final, now, last: now }], sent)).toEqual(['state-not-fold']);
  });
});

describe('a merge', () => {
  const guest = 'guest:1';
  const theirs = [add('pen', 600), add('ink', 3), { type: 'changeNote', note: 'theirs' }];
  const own = [add('pen', 500), add('pad', 1), { type: 'changeNote', note: 'own' }];
  const carts = (strategy: MergeStrategy) => {
    const { items, currency, note } = decideAll(theirs).checkpoint.cart;
    const merge = { type: 'mergeCart', commandId: `merge:${guest}`, from: guest, strategy, items, currency, note };
    const handOver = { type: 'handOverCart', commandId: 'm', to: 'alice', strategy };
    return [finalOf(guest, [...theirs, handOver]), finalOf('alice', [...own, merge])] as const;
  };
  const sentTo = (cart: string) =>
    ['c1', 'c2', 'c3'].map((key, index): readonly [string, Sending] => {
      const { type, ...fields } = (cart === guest ? theirs : own)[index]!;
      return [cart, { ...fields, kind: 'command', type: type as 'addItem', key, waitSeconds: 0 }];
    });
  const checked = (finals: readonly FinalCart[], strategy: MergeStrategy, to = 'alice') =>
    checkSent(finals, [
      ...sentTo(guest),
      ...sentTo('alice'),
      [to, { kind: 'merge', key: 'm', from: guest, strategy, waitSeconds: 0 }],
    ]);

  it.each(['sum', 'max', 'keep', 'replace'] as const)('passes by %s, also where not all fits', (strategy) => {
    expect(checked(carts(strategy), strategy)).toEqual([]);
  });

  it('is lost where the user has it not', () => {
    expect(checked([carts('sum')[0], finalOf('alice', own)], 'sum')).toEqual(['lost-merge']);
  });

  it('may be missing where the guest was handed over to another user', () => {
    const handOver = (to: string, key: string) => ({ type: 'handOverCart', commandId: key, to, strategy: 'sum' });
    const { items, currency, note } = decideAll(theirs).checkpoint.cart;
    const merge = {
      type: 'mergeCart',
      commandId: `merge:${guest}`,
      from: guest,
      strategy: 'sum',
      items,
      currency,
      note,
    };
    const toBob = finalOf(guest, [...theirs, handOver('bob', 'n'), handOver('alice', 'm')]);
    const asked = (key: string): Sending => ({ kind: 'merge', key, from: guest, strategy: 'sum', waitSeconds: 0 });
    const found = checkSent(
      [toBob, finalOf('alice', own), finalOf('bob', [merge])],
      [...sentTo(guest), ...sentTo('alice'), ['bob', asked('n')], ['alice', asked('m')]],
    );
    expect(found).toEqual([]);
  });

  it.each<[what: string, type: string, data: object]>([
    ['the quantity of a line', 'ItemQuantityChanged', { quantity: 998 }],
    ['a line', 'ItemAdded', { productId: 'nib' }],
    ['what was left out', 'CartMerged', { leftOut: [] }],
    ['the note', 'CartMerged', { leftOutNote: 'another' }],
    ['the guest', 'CartMerged', { from: 'guest:2' }],
  ])('is another one where %s is', (_what, type, data) => {
    const [from, user] = carts('sum');
    const merged = user.entries.map((entry) =>
      entry.type === type && entry.commandId.startsWith('merge:')
        ? { ...entry, data: { ...entry.data, ...data } }
        : entry,
    );
    expect(checked([from, { ...user, entries: merged }], 'sum')).toContain('other-merge');
  });
});
