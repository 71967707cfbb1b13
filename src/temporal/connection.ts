import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config';

type TemporalConfig = Config['temporal'];

/**
 * A client that connects when first used, so that a process can start, and say so, while Temporal is away.
 * @returns the client and a check that Temporal answers.
 */
export function openClient({ connection: options, namespace }: TemporalConfig) {
  const channelArgs = {
    // A connection whose other end went silent is given up after 15 s; the SDK's own setting would take 45 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // A page of a hot cart's history is larger than gRPC's 4 MB. The SDK (1.24) means 128 MB too, by a name gRPC does not know.
    'grpc.max_receive_message_length': 128 * 1024 * 1024,
  };
  const connection = Connection.lazy({ ...options, channelArgs });
  const check = () =>
    connection.withDeadline(Date.now() + 1_500, () => connection.workflowService.describeNamespace({ namespace }));
  return { client: new Client({ connection, namespace }), check, close: () => connection.close() };
}

/** The connection a worker polls on. @throws Error naming the address when Temporal does not answer. */
export async function openWorkerConnection({ connection: options }: TemporalConfig): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    throw new Error(
      `Temporal does not answer at ${options.address ?? 'localhost:7233'}. Start it, or set TEMPORAL_ADDRESS to where it is.`,
      { cause: error },
    );
  }
}
