import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Ask, Operation } from '../check/types';

/** What an operation ended with. */
export type Answer = Pick<Operation, 'result' | 'status' | 'body'>;

/** Records every operation, in memory and as JSON lines: one line when it begins, one when it ends. */
export interface Recorder {
  readonly operations: readonly Operation[];
  /** The instant at which the recording began. */
  readonly since: string;
  /** Milliseconds since the recording began. */
  now(): number;
  /** Runs an operation and records it. What `run` throws is recorded as unknown. */
  record(client: number, cart: string, ask: Ask, run: () => Promise<Answer>): Promise<Operation>;
  close(): Promise<void>;
}

export function openRecorder(file: string): Recorder {
  const lines = createWriteStream(file);
  const write = (line: unknown) => void lines.write(`${JSON.stringify(line)}\n`);
  const operations: Operation[] = [];
  const startedAt = performance.now();
  const since = new Date().toISOString();
  const now = () => Math.round((performance.now() - startedAt) * 1_000) / 1_000;
  let lastId = 0;
  return {
    operations,
    since,
    now,
    async record(client, cart, ask, run) {
      lastId += 1;
      const id = lastId;
      const start = now();
      write({ id, event: 'invoke', client, cart, ask, start });
      const answer = await run().catch((): Answer => ({ result: 'unknown' }));
      const operation: Operation = { id, client, cart, ask, start, end: now(), ...answer };
      operations.push(operation);
      const event = answer.result === 'unknown' ? 'info' : answer.result;
      write({ id, event, end: operation.end, status: answer.status, body: answer.body });
      return operation;
    },
    async close() {
      lines.end();
      await finished(lines);
    },
  };
}
