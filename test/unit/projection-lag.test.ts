import { measureLag } from '../../src/worker/projection-lag';

const decidedAt = (ms: number) => new Date(ms).toISOString();

/** Runs an activity of this type, and lets it end at an instant. */
async function run(lag: ReturnType<typeof measureLag>, activityType: string, args: unknown[], fails = false) {
  const { inbound } = lag.interceptor({ info: { activityType } } as never);
  const next = async () => {
    if (fails) throw new Error('Postgres is away');
    return 'done';
  };
  return inbound!.execute!({ args, headers: {} }, next);
}

describe('the lag of projections', () => {
  it('is the time from the first decision of each batch to its projection, since it was asked last', async () => {
    let now = 0;
    const lag = measureLag(() => now);
    for (const [at, from] of [
      [100, 90],
      [200, 100],
      [300, 270],
    ] as const) {
      now = at;
      await run(lag, 'projectCart', [{ userId: 'alice', decisions: [{ decidedAt: decidedAt(from) }] }]);
    }
    expect(lag.take()).toEqual({ projected: 3, medianLagMs: 30, maxLagMs: 100 });
    expect(lag.take()).toEqual({ projected: 0, medianLagMs: 0, maxLagMs: 0 });
  });

  it('counts neither other activities nor what failed', async () => {
    const lag = measureLag();
    await run(lag, 'loadCheckpoint', ['alice']);
    const batch = { userId: 'alice', decisions: [{ decidedAt: decidedAt(0) }] };
    await expect(run(lag, 'projectCart', [batch], true)).rejects.toThrow('Postgres is away');
    expect(lag.take().projected).toBe(0);
  });
});
