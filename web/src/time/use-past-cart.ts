import type { PointInTime } from '../../../client/src/index.ts';
import { queries } from '../session.ts';
import { useRead } from '../use-read.ts';

/** The cart at a point in time, as the API answers it. */
export const usePastCart = (userId: string, point: PointInTime) =>
  useRead(
    (signal) =>
      queries.readCart(userId, typeof point === 'number' ? { version: point, signal } : { at: point, signal }),
    [userId, point],
  );
