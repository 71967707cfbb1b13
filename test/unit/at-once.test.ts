import fc from 'fast-check';
import { fitsAtOnce, lastAtOnce, mostAtOnce } from '../../src/contract/at-once';
import { type RecordedDecision, refOf } from '../../src/domain/handle';

/** A decision that takes about so many bytes. */
const decision = (sequence: number, bytes: number): RecordedDecision => ({
  sequence,
  command: { commandId: `c${sequence}`, type: 'addItem', actor: 'a', issuedAt: 'i', data: { name: 'n'.repeat(bytes) } },
  ...{ decidedAt: 'd', runId: 'r', outcome: 'applied', events: [] },
});

const records = fc
  .array(fc.oneof(fc.nat(300), fc.nat(20_000)), { maxLength: 3 * mostAtOnce })
  .map((sizes) => sizes.map((bytes, index) => decision(index + 1, bytes)));

it('the last decisions on record have every batch whole that was projected at once', () => {
  fc.assert(
    fc.property(records, (record) => {
      const { decisions, after } = lastAtOnce(record.slice(-mostAtOnce - 1));
      for (let first = 0; first < record.length; first += 1) {
        const batch = record.slice(first);
        if (fitsAtOnce(batch)) expect(decisions.slice(-batch.length)).toEqual(batch);
      }
      expect(fitsAtOnce(decisions)).toBe(true);
      const before = record[record.length - decisions.length - 1];
      expect(after).toEqual(before === undefined ? null : refOf(before));
    }),
  );
});
