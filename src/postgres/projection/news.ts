import type { Announcements } from './announcements';

/** Waits for projections of one cart. */
export interface News {
  /** What comes from now on is new. */
  reset(): void;
  /** Resolves at once if something is new, else with the next news, at the latest after this time. */
  within(ms: number): Promise<void>;
  /** Ends a wait, as a projection does. */
  wake(): void;
  stop(): void;
}

export function listenForNews(announcements: Announcements, userId: string): News {
  let endWait = () => {};
  let isNew = false;
  const wake = () => {
    isNew = true;
    endWait();
  };
  return {
    reset() {
      isNew = false;
    },
    async within(ms) {
      if (isNew) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        endWait = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    wake,
    stop: announcements.onProjection(userId, wake),
  };
}
