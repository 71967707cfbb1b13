import { useEffect, useState } from 'preact/hooks';
import type { Cart, PointInTime } from '../../../client/src/index.ts';
import { explain } from '../problems.ts';
import { queries } from '../session.ts';

interface PastCart {
  /** The cart at the last point that was read: while the next one is read, the one before. */
  readonly cart: Cart | undefined;
  readonly problem: string | undefined;
}

/** The cart at a point in time, as the API answers it. A newer point ends the request for the one before. */
export function usePastCart(userId: string, point: PointInTime): PastCart {
  const [past, setPast] = useState<PastCart>({ cart: undefined, problem: undefined });
  useEffect(() => {
    const left = new AbortController();
    const { signal } = left;
    queries
      .readCart(userId, typeof point === 'number' ? { version: point, signal } : { at: point, signal })
      .then((cart) => setPast({ cart, problem: undefined }))
      .catch((error) => {
        if (!signal.aborted) setPast(({ cart }) => ({ cart, problem: explain(error) }));
      });
    return () => left.abort();
  }, [userId, point]);
  return past;
}
