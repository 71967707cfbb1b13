/** A message of server-sent events. */
export interface StreamMessage {
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read entries of many shapes
  readonly data: any;
}

/** A stream of server-sent events that a test reads. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next message; undefined when the stream has ended. */
  next(): Promise<StreamMessage | undefined>;
  /** The next so many messages. */
  take(count: number): Promise<StreamMessage[]>;
  /** All that has been received, with heartbeats and hints. */
  received(): string;
  close(): void;
}

/** Connects once: it does not connect again. */
export async function openEventStream(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const closing = new AbortController();
  const response = await fetch(url, { headers, signal: closing.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let received = '';
  let read = 0;
  const next = async (): Promise<StreamMessage | undefined> => {
    for (;;) {
      const end = received.indexOf('\n\n', read);
      if (end >= 0) {
        const block = received.slice(read, end);
        read = end + 2;
        const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? [];
        if (id !== undefined) return { id: Number(id), data: JSON.parse(data!) };
        continue;
      }
      const { value, done } = await reader.read();
      if (done) return undefined;
      received += value;
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    next,
    async take(count) {
      const messages: StreamMessage[] = [];
      while (messages.length < count) {
        const message = await next();
        if (message === undefined) throw new Error(`The stream ended after ${messages.length} messages.`);
        messages.push(message);
      }
      return messages;
    },
    received: () => received,
    close: () => closing.abort(),
  };
}
