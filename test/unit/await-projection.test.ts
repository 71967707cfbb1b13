import { awaitProjection } from '../../src/postgres/projection/await-projection';

/** Announcements that the test makes. */
function announcements() {
  const listeners = new Set<() => void>();
  return {
    listeners,
    announce: () => {
      for (const listener of listeners) listener();
    },
    onProjection: (_userId: string, listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isListening: true,
    isStopping: false,
    close: async () => {},
  };
}

describe('what is awaited and has a cause', () => {
  it('is read once, after the projection that the cause leads to', async () => {
    const bus = announcements();
    const steps: string[] = [];
    const read = async () => {
      steps.push('read');
      return 'outcome';
    };
    const waiting = awaitProjection(bus, 'alice', 30, read, async () => void steps.push('cause'));
    setImmediate(() => {
      steps.push('announced');
      bus.announce();
    });
    expect(await waiting).toBe('outcome');
    expect(steps).toEqual(['cause', 'announced', 'read']);
    expect(bus.listeners.size).toBe(0);
  });

  it('is not missed where the projection comes before the cause is done', async () => {
    const bus = announcements();
    const read = jest.fn(async () => 'outcome');
    expect(await awaitProjection(bus, 'alice', 30, read, async () => bus.announce())).toBe('outcome');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is looked for again after the projection of another command', async () => {
    const bus = announcements();
    const read = jest.fn<Promise<string | undefined>, []>(async () => 'outcome').mockResolvedValueOnce(undefined);
    const waiting = awaitProjection(bus, 'alice', 30, read, async () => bus.announce());
    while (read.mock.calls.length === 0) await new Promise(setImmediate);
    bus.announce();
    expect(await waiting).toBe('outcome');
  });

  it('is found without an announcement, by polling', async () => {
    const read = async () => 'outcome';
    expect(await awaitProjection(announcements(), 'alice', 30, read, async () => {})).toBe('outcome');
  });

  it('fails with its cause, and nobody listens any more', async () => {
    const bus = announcements();
    const failing = async () => {
      throw new Error('no such product');
    };
    await expect(awaitProjection(bus, 'alice', 30, async () => 'outcome', failing)).rejects.toThrow('no such product');
    expect(bus.listeners.size).toBe(0);
  });
});
