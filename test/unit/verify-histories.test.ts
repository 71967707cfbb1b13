import type { RecordedDecision } from '../../src/domain/handle';
import { checkHistories } from '../../src/recovery/verify-histories';

const decision = (sequence: number, commandId: string, quantity: number, more: object = {}): RecordedDecision => ({
  sequence,
  command: {
    ...{ commandId, type: 'addItem', actor: 'user:alice', issuedAt: '2030-01-01T00:00:00.000Z' },
    data: { productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', quantity },
  },
  ...{ decidedAt: '2030-01-01T00:00:01.000Z', runId: 'run-1', outcome: 'applied', events: [] },
  ...more,
});

const reuse = (sequence: number, commandId: string, quantity: number, more: object = {}): RecordedDecision =>
  decision(sequence, `${commandId}~${sequence}`, quantity, {
    ...{ outcome: 'rejected', code: 'idempotency_key_reused', reason: 'The id belongs to another command.' },
    ...more,
  });

const reset = { runId: 'run-2', decidedAt: '2030-01-01T00:00:09.000Z' };

describe('what a run that was reset decided again', () => {
  const recorded = [decision(1, 'k1', 1), reuse(2, 'k1', 2)];

  const findings = (...others: RecordedDecision[]) =>
    checkHistories(
      recorded,
      {
        projected: recorded,
        others,
        runIds: new Set(['run-1', 'run-2']),
        receivedBy: async () => [],
        hasLeftRuns: false,
      },
      () => false,
    );

  it.each([
    ['a command that is on record', decision(3, 'k1', 1, reset)],
    ['a reuse that is on record under another sequence', reuse(3, 'k1', 2, reset)],
    ['as a reuse what is the command on record', reuse(3, 'k1', 1, reset)],
  ])('is no finding: %s', (_, other) => expect(findings(other)).toEqual([]));

  it.each([
    ['a command that is not on record', decision(3, 'k2', 1, reset)],
    ['another reuse than the one on record', reuse(3, 'k1', 3, reset)],
    ['a reuse of another id', reuse(3, 'k2', 2, reset)],
  ])('is a finding: %s', (_, other) =>
    expect(findings(other)).toEqual([expect.objectContaining({ where: 'histories', sequence: 3 })]),
  );
});
