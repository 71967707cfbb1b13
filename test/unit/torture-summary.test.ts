import type { CommandType, Operation, Violation } from '../../torture/check/types';
import type { Episode } from '../../torture/nemesis';
import { type Report, summarise } from '../../torture/report/summary';
import { explain } from '../../torture/report/text';
import { add } from '../support/torture-history';

let operations: Operation[] = [];
let episodes: Episode[] = [];

const record = (start: number, ask: Operation['ask'], more: Partial<Operation>) =>
  operations.push({
    id: operations.length + 1,
    client: 1,
    cart: 'alice',
    ask,
    start,
    end: start + 10,
    result: 'ok',
    ...more,
  });
const command = (start: number, more: Partial<Operation> = {}, type: CommandType = 'removeItem') =>
  record(start, { ...add, type }, { status: 202, ...more });
const read = (start: number, more: Partial<Operation> = {}) =>
  record(start, { kind: 'readCart' }, { status: 200, ...more });

/** Broken from 1,000 to 2,000, and recovered at 2,500. */
const episode = (fault: string, more: Partial<Episode> = {}): Episode => ({
  ...{
    fault,
    touches: 'carts',
    injectedAt: 990,
    brokenAt: 1_000,
    healingAt: 2_000,
    healedAt: 2_100,
    recoveredAt: 2_500,
  },
  ...more,
});
const down = (takesDown: NonNullable<Episode['takesDown']>, more: Partial<Episode> = {}) =>
  episode(`kill ${takesDown}`, { takesDown, ...more });

const unavailable = { status: 503, result: 'unknown' } as const;

function summary(more: { violations?: Violation[]; isQuiet?: boolean; verifiedAfterMs?: number | null } = {}): Report {
  return summarise({ seed: 1, isQuiet: true, operations, episodes, violations: [], leftOut: [], ...more });
}

/** Whether each target that was measured is met, by its name. */
const met = () =>
  Object.fromEntries(
    summary()
      .targets.filter(({ isMet }) => isMet !== null)
      .map(({ name, isMet }) => [name, isMet]),
  );

beforeEach(() => {
  operations = [];
  episodes = [];
});

describe('the figures of a fault', () => {
  it('have how often it was injected and not injected, and not recovered from in time', () => {
    const { recoveredAt: _, ...lasting } = episode('cancel');
    episodes = [episode('cancel'), lasting, episode('cancel', { problem: 'no run' }), episode('reset')];
    expect(summary().faults).toMatchObject({
      cancel: { injected: 2, notInjected: 1, notRecovered: 1 },
      reset: { injected: 1, notInjected: 0, notRecovered: 0 },
    });
  });

  it('have the times from its end until commands had outcomes again', () => {
    episodes = Array.from({ length: 100 }, (_, index) => episode('cancel', { recoveredAt: 2_100 + index }));
    expect(summary().faults.cancel!.healMs).toEqual({ p50: 50, p99: 99, max: 99 });
    expect(summary().healMs).toEqual({ p50: 50, p99: 99, max: 99 });
  });

  it('count from the end of another fault that broke the system meanwhile', () => {
    episodes = [
      episode('cancel', { recoveredAt: 9_000 }),
      episode('kill-worker', { touches: 'worker', injectedAt: 2_000, healedAt: 8_000, recoveredAt: 8_900 }),
      episode('kill-commands', { touches: 'commands', injectedAt: 8_950, healedAt: 9_500, recoveredAt: 9_600 }),
      episode('reset', { injectedAt: 2_000, healedAt: 8_800, recoveredAt: 9_600 }),
    ];
    expect(summary().faults.cancel!.healMs.max).toBe(1_000);
  });

  it('have no time where it never was injected', () => {
    episodes = [episode('cancel', { problem: 'no run' })];
    expect(summary().faults.cancel!.healMs).toEqual({ p50: null, p99: null, max: null });
  });
});

describe('availability', () => {
  it('counts the commands and reads that began while something was broken', () => {
    episodes = [episode('kill-postgres', { touches: 'postgres' })];
    for (const start of [500, 1_500, 1_600]) command(start, start === 1_600 ? unavailable : {});
    for (const start of [1_500, 3_000]) read(start, start === 1_500 ? { status: 503, result: 'fail' } : {});
    const { availability } = summary();
    expect(availability['while Postgres is broken']).toEqual({ commands: 0.5, reads: 0 });
    expect(availability['always, faults included']).toEqual({ commands: 0.6667, reads: 0.5 });
    expect(availability['while Temporal is broken']).toEqual({ commands: null, reads: null });
  });
});

describe('the targets while Temporal is down', () => {
  beforeEach(() => {
    episodes = [down('Temporal')];
  });

  it('are met where reads are answered, and commands with 503 within five seconds', () => {
    read(1_500);
    command(1_500, { ...unavailable, end: 6_500 });
    expect(met()).toEqual({
      'reads answered while Temporal is down': true,
      'commands not accepted that are answered 503 within 5 s while Temporal is down': true,
    });
  });

  it('are missed where one read of many fails', () => {
    for (let start = 1_100; start < 1_900; start += 1) read(start);
    read(1_950, { status: 503, result: 'fail' });
    expect(met()).toEqual({ 'reads answered while Temporal is down': false });
  });

  it.each([
    ['is answered later', { ...unavailable, end: 6_501 }],
    ['gets no answer', { result: 'unknown' }],
    ['is answered with another error', { ...unavailable, status: 500 }],
  ] as const)('are missed where a command %s', (_, answer) => {
    record(1_500, add, answer);
    expect(Object.values(met())).toEqual([false]);
  });

  it('are not measured before it is down, after it is healed, or by people who press buttons', () => {
    for (const start of [999, 2_001]) {
      command(start, { ...unavailable, end: start + 9_000 });
      read(start, { result: 'fail' });
    }
    command(1_500, { ...unavailable, client: 0, end: 9_000 });
    expect(met()).toEqual({});
  });

  it('are not measured while something else is broken, nor before that has recovered', () => {
    episodes.push(episode('kill-queries', { touches: 'queries', injectedAt: 1_400, recoveredAt: 1_600 }));
    read(1_395, { result: 'fail' });
    read(1_500, { result: 'fail' });
    expect(met()).toEqual({});
    read(1_700);
    expect(met()).toEqual({ 'reads answered while Temporal is down': true });
  });

  it('are not measured where it could not be taken down', () => {
    episodes = [down('Temporal', { problem: 'it was not running' })];
    read(1_500, { result: 'fail' });
    expect(met()).toEqual({});
  });
});

describe('the target while Postgres is down', () => {
  const target = 'commands accepted that need no look-up while Postgres is down';

  beforeEach(() => {
    episodes = [down('Postgres')];
  });

  it('concerns no command that needs a look-up', () => {
    for (const type of ['addItem', 'checkOut', 'restoreCart'] as const) command(1_500, unavailable, type);
    expect(met()).toEqual({});
    for (const type of ['removeItem', 'clearCart', 'changeItemQuantity'] as const) command(1_500, {}, type);
    expect(summary().targets.find(({ name }) => name === target)).toMatchObject({
      count: 3,
      share: 1,
      isMet: true,
    });
  });

  it.each([
    [99, true],
    [98, false],
  ])('is met with 99 of 100 commands: %i', (accepted, isMet) => {
    for (let index = 0; index < 100; index += 1) command(1_500 + index, index < accepted ? {} : unavailable);
    expect(met()).toEqual({ [target]: isMet });
  });
});

describe('the targets while all workers are down', () => {
  it.each([
    ['are met where all commands are accepted and all reads answered', {}, {}, true, true],
    ['are missed where a command is not accepted', unavailable, {}, false, true],
    ['are missed where a read is not answered', {}, { status: 503, result: 'fail' } as const, true, false],
  ])('%s', (_, ofCommand, ofRead, areCommandsMet, areReadsMet) => {
    episodes = [down('all workers')];
    command(1_500, ofCommand);
    read(1_500, ofRead);
    expect(met()).toEqual({
      'commands accepted while all workers are down': areCommandsMet,
      'reads answered while all workers are down': areReadsMet,
    });
  });
});

describe('the target of healing', () => {
  const target = 'faults healed within 10 s';
  const lasting = () => episode('cancel', { recoveredAt: 12_101 });

  it.each([
    ['is met where 99 of 100 faults heal in time', 1, true],
    ['is missed where 98 of them do', 2, false],
  ])('%s', (_, late, isMet) => {
    episodes = Array.from({ length: 100 }, (_, index) => (index < late ? lasting() : episode('cancel')));
    expect(met()).toEqual({ [target]: isMet });
  });

  it('is missed where two of 100 faults never heal', () => {
    const { recoveredAt: _, ...unhealed } = episode('cancel');
    episodes = Array.from({ length: 100 }, (_, index) => (index < 2 ? unhealed : episode('cancel')));
    expect(met()).toEqual({ [target]: false });
  });

  it('is not measured with fewer than 100 faults', () => {
    episodes = Array.from({ length: 99 }, lasting);
    expect(met()).toEqual({});
  });
});

describe('a run', () => {
  const violation: Violation = {
    kind: 'lost-command',
    cart: 'alice',
    commandId: 'k1',
    what: 'it is lost',
    operations: [7],
  };

  it('has passed where nothing was found, it became quiet, and no target was missed', () => {
    episodes = [down('Temporal')];
    read(1_500);
    expect(summary().hasPassed).toBe(true);
    expect(explain(summary(), [])).toEqual([]);
  });

  it.each<[when: string, more: Parameters<typeof summary>[0] & object, line: string]>([
    ['a violation was found', { violations: [violation] }, 'lost-command of alice, k1: it is lost (operations 7)'],
    ['it did not become quiet', { isQuiet: false }, 'not every acknowledged command had its outcome in time'],
    ['verify took longer than a minute', { verifiedAfterMs: 60_001 }, 'ops verify found nothing after 60001 ms'],
    ['verify always found something', { verifiedAfterMs: null }, 'ops verify found something all the time'],
  ])('has not passed where %s, and says so', (_, more, line) => {
    expect(summary(more).hasPassed).toBe(false);
    expect(explain(summary(more), more.violations ?? [])).toEqual([line]);
  });

  it('has not passed where a target was missed, and says which', () => {
    episodes = [down('Temporal')];
    read(1_500, { result: 'fail' });
    expect(summary().hasPassed).toBe(false);
    expect(explain(summary(), [])).toEqual(['reads answered while Temporal is down: a share of 0 of 1, at least 1']);
  });

  it('names some of many violations, and how many more there are', () => {
    const violations = Array<Violation>(25).fill(violation);
    const lines = explain(summary({ violations }), violations);
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('and 5 more violations');
  });

  it('has passed where verify found nothing within a minute after the last press', () => {
    expect(summary({ verifiedAfterMs: 60_000 }).hasPassed).toBe(true);
  });
});
