import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config';

/** A namespace of a Temporal server, and how to connect to it. */
export type TemporalNamespace = Pick<Config['temporal'], 'connection' | 'namespace'>;

/**
 * A client that connects when first used, so that a process can start, and say so, while Temporal is away.
 * @returns the client and a check that Temporal answers.
 */
export function openClient({ connection: options, namespace }: TemporalNamespace) {
  const channelArgs = {
    // Closes a connection whose other end went silent after 15 s; with the SDK's own setting it takes 45 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // A page of a hot cart's history is larger than gRPC's limit of 4 MB. The SDK (1.24) sets 128 MB as well, under a
    // name that gRPC does not know.
    'grpc.max_receive_message_length': 128 * 1024 * 1024,
  };
  const connection = Connection.lazy({ ...options, channelArgs });
  const check = () =>
    connection.withDeadline(Date.now() + 1_500, () => connection.workflowService.describeNamespace({ namespace }));
  return { client: new Client({ connection, namespace }), check, close: () => connection.close() };
}

/** The connection a worker polls on. @throws Error naming the address when Temporal does not answer. */
export async function openWorkerConnection({
  connection: options,
}: Pick<TemporalNamespace, 'connection'>): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    throw new Error(
      `Temporal does not answer at ${options.address ?? 'localhost:7233'}. Start it, or set TEMPORAL_ADDRESS to where it is.`,
      { cause: error },
    );
  }
}
