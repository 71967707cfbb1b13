import type { Episode } from '../nemesis';

/**
 * The milliseconds from the end of a fault until commands had outcomes again; undefined where that never came. Where
 * another fault broke the same system meanwhile and ended before, they count from the end of the later one.
 */
export function healTime({ healedAt, recoveredAt }: Episode, episodes: readonly Episode[]): number | undefined {
  if (recoveredAt === undefined) return undefined;
  const others = episodes.filter(
    (other) => breaksSystem(other) && other.injectedAt < recoveredAt && other.healedAt < recoveredAt,
  );
  return recoveredAt - Math.max(healedAt, ...others.map((other) => other.healedAt));
}

/** A fault of single carts, or of clients, keeps nobody else's command waiting. */
const breaksSystem = ({ touches, problem }: Episode): boolean =>
  problem === undefined && touches !== 'carts' && touches !== 'clients';
