import type { Operation } from '../../torture/check/types';
import { type RoleRestart, summariseRestarts } from '../../torture/report/restarts';
import { type Start, summariseStarts } from '../../torture/report/starts';

describe('the report of rolling restarts', () => {
  const operation = (more: Partial<Operation>): Operation => ({
    ...{ id: 1, client: 1, cart: 'alice', ask: { kind: 'readCart' }, start: 0, end: 5, result: 'ok', status: 200 },
    ...more,
  });
  const restart = (more: Partial<RoleRestart> = {}): RoleRestart => ({
    ...{ role: 'worker', exitCode: 0, stoppedMs: 900, readyMs: 3_000 },
    ...more,
  });
  const hasPassed = (operations: Operation[], restarts: RoleRestart[] = [restart()]) =>
    summariseRestarts(1, operations, restarts).hasPassed;

  it('counts what was sent, and how the processes of each role ended', () => {
    const report = summariseRestarts(
      7,
      [operation({}), operation({ end: 9 })],
      [restart(), restart({ role: 'queries' })],
    );
    expect(report).toMatchObject({ seed: 7, requests: { sent: 2, failed: 0, ms: { max: 9 } }, failures: {} });
    expect(Object.keys(report.roles)).toEqual(['worker', 'queries']);
    expect(report.roles.worker).toMatchObject({ restarts: 1, exitCodes: { 0: 1 }, stoppedMs: { max: 900 } });
    expect(report.hasPassed).toBe(true);
  });

  it.each([
    ['no answer', { result: 'unknown', status: undefined }],
    ['503', { result: 'fail', status: 503, body: { code: 'database_unavailable' } }],
    ['500', { result: 'fail', status: 500 }],
  ] as const)('counts a request that got %s as failed', (answer, more) => {
    const { failures, hasPassed } = summariseRestarts(1, [operation(more as Partial<Operation>)], [restart()]);
    expect({ failures, hasPassed }).toEqual({ failures: { [`readCart: ${answer}`]: 1 }, hasPassed: false });
  });

  it.each([
    ['a rejection', { status: 409, body: { code: 'cart_empty' } }],
    ['a wait for a version that ended early', { status: 404, body: { code: 'version_not_reached' } }],
  ] as const)('does not count %s as failed', (_what, more) => {
    expect(hasPassed([operation({ result: 'fail', ...more })])).toBe(true);
  });

  it.each([
    ['ends with another code than 0', { exitCode: 1 }],
    ['is ended by a signal', { exitCode: null }],
    ['takes longer than ten seconds to end', { stoppedMs: 10_001 }],
  ])('has not passed where a process %s', (_what, more) => {
    expect(hasPassed([operation({})], [restart(), restart(more)])).toBe(false);
  });
});

describe('the report of starts', () => {
  const start = (more: Partial<Start> = {}): Start => ({
    ...{ number: 1, isBesideGrabber: false, readyMs: 2_000, exitCode: 0, stoppedMs: 1_700 },
    ...more,
  });

  it('counts the starts after a kill and those beside a process that grabs ports', () => {
    const starts = [start(), start({ killedAfterMs: 300 }), start({ isBesideGrabber: true, readyMs: 5_000 })];
    expect(summariseStarts(7, starts)).toMatchObject({
      seed: 7,
      all: { starts: 3, ready: 3, readyMs: { p50: 2_000, max: 5_000 } },
      afterKill: { starts: 1, ready: 1 },
      besideGrabber: { starts: 1, ready: 1, readyMs: { max: 5_000 } },
      exitCodes: { 0: 3 },
      hasPassed: true,
    });
  });

  it('has not passed where a start did not become ready, and shows what it said', () => {
    const failed = start({ readyMs: undefined, errors: 'Port 7233 is in use' });
    const report = summariseStarts(1, [start(), failed]);
    expect(report).toMatchObject({ all: { starts: 2, ready: 1 }, notReady: [failed], hasPassed: false });
  });

  it.each([{ exitCode: 1 }, { exitCode: null }, { stoppedMs: 10_001 }])('has not passed with %j', (more) => {
    expect(summariseStarts(1, [start(more)]).hasPassed).toBe(false);
  });
});
