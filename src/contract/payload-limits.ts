/**
 * Limits in bytes of what goes through Temporal, all in one place. The server (1.32) takes 2 MiB a payload
 * (`limit.blobSize.error`) and 4 MB a gRPC message; the SDK's worker checks the first before it sends (TMPRL1103),
 * and then the workflow task fails again and again.
 */
export const payloadLimits = {
  /**
   * The decisions of one batch. As near to the server's limit as may be: a batch that was accepted before batches
   * were cut by their size must be cut in the same way when its run is replayed.
   */
  batchBytes: 2 * 1024 * 1024 - 8_192,
  /** Commands that share a signal. */
  signalBytes: 1024 * 1024,
  /** The commands left behind that a run takes over at once. The checkpoint may come with them. */
  leftBehindBytes: 1024 * 1024,
  /** A carried state, in characters of its JSON, which take three bytes at most. */
  carriedLength: 500_000,
} as const;

const encoder = new TextEncoder();

/** How many bytes a value takes as JSON in UTF-8. */
export const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;
