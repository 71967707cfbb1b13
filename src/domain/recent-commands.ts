/** How many recent command ids a cart remembers, to recognise a command that arrives twice. */
export const rememberedCommands = 1_000;

/** The newest commands of a cart as its state has them, oldest first. */
export interface RecentCommands {
  /** At least `rememberedCommands`, and all that are not projected. */
  readonly recentCommandIds: readonly string[];
  /**
   * The fingerprints of those commands, in the same order; empty where one is not known, `markReuse` where it was
   * rejected as a reuse. Runs that began before there were fingerprints have none, and take every command whose id
   * they remember for the same command.
   */
  readonly recentFingerprints?: readonly string[];
}

/** Whether nothing, the same command or another one is remembered under an id. */
export type Use = 'none' | 'same' | 'other';

/** What is remembered, in place of a fingerprint, of a command that was rejected as a reuse of this id. */
export const markReuse = (commandId: string, fingerprint: string): string => `${commandId}=${fingerprint}`;

/** Remembers commands while many are handled: one look-up each, however many are remembered. */
export function openMemory({ recentCommandIds, recentFingerprints }: RecentCommands) {
  const ids = [...recentCommandIds];
  const fingerprints = recentFingerprints && [...recentFingerprints];
  const placesOfIds = new Map(ids.map((id, place) => [id, place]));
  const placesOfFingerprints = new Map(fingerprints?.map((fingerprint, place) => [fingerprint, place]));
  let window = ids.length;
  const isRemembered = (place: number | undefined): place is number =>
    place !== undefined && place >= ids.length - window;

  return {
    hasFingerprints: fingerprints !== undefined,
    find(commandId: string, fingerprint: string): Use {
      const place = placesOfIds.get(commandId);
      if (fingerprints === undefined) return isRemembered(place) ? 'same' : 'none';
      if (isRemembered(placesOfFingerprints.get(markReuse(commandId, fingerprint)))) return 'same';
      if (!isRemembered(place)) return 'none';
      const known = fingerprints[place];
      return known === fingerprint || known === '' ? 'same' : 'other';
    },
    isKnown: (commandId: string): boolean => isRemembered(placesOfIds.get(commandId)),
    /** @param unprojectedCount how many decisions are not projected, this one included: all of those are remembered. */
    add(commandId: string, fingerprint: string, unprojectedCount: number): void {
      placesOfIds.set(commandId, ids.push(commandId) - 1);
      if (fingerprints) placesOfFingerprints.set(fingerprint, fingerprints.push(fingerprint) - 1);
      window = Math.max(rememberedCommands, unprojectedCount);
    },
    toRecentCommands: (): RecentCommands => ({
      recentCommandIds: ids.slice(-window),
      ...(fingerprints === undefined ? {} : { recentFingerprints: fingerprints.slice(-window) }),
    }),
  };
}

export type Memory = ReturnType<typeof openMemory>;
