import { createParser } from 'eventsource-parser';

/** A message of server-sent events, with an id. */
export interface StreamMessage {
  readonly id: string;
  readonly data: string;
}

/** What one connection gave: messages, and after how long to connect again. */
export interface StreamReader {
  messages(): AsyncGenerator<StreamMessage, void>;
  /** Milliseconds, as the stream says. */
  readonly retryMs: number;
}

/** The API sends something every 15 s. Where nothing comes for longer, the connection is dead. */
const silenceMs = 40_000;
const defaultRetryMs = 1_000;

/**
 * Reads server-sent events until the stream ends, the connection is lost or dead, or the signal is aborted. None of
 * these is an error: the caller connects again after the last message.
 */
export function readStream(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): StreamReader {
  const received: StreamMessage[] = [];
  let retryMs = defaultRetryMs;
  const parser = createParser({
    onEvent: ({ id, data }) => {
      if (id !== undefined) received.push({ id, data });
    },
    onRetry: (ms) => {
      retryMs = ms;
    },
  });
  return {
    async *messages() {
      const reader = body.getReader();
      const decoder = new TextDecoder();
      const cancel = () => void reader.cancel().catch(() => undefined);
      signal?.addEventListener('abort', cancel);
      if (signal?.aborted) cancel();
      try {
        for (;;) {
          const silence = setTimeout(cancel, silenceMs);
          const chunk = await reader.read().catch(() => undefined);
          clearTimeout(silence);
          if (chunk === undefined || chunk.done || signal?.aborted) return;
          parser.feed(decoder.decode(chunk.value, { stream: true }));
          yield* received.splice(0);
        }
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
      }
    },
    get retryMs() {
      return retryMs;
    },
  };
}
