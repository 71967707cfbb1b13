import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config';
import { saysClosing } from './closing-run';

/** A namespace of a Temporal server, and the options to connect to it. */
export type TemporalNamespace = Pick<Config['temporal'], 'connection' | 'namespace'>;

/**
 * Opens a client that connects at its first use, so that a process can start and report its health without Temporal.
 * @returns the client, and a check that fails if Temporal does not answer.
 */
export function openClient({ connection: options, namespace }: TemporalNamespace) {
  const channelArgs = {
    // Closes a connection after 15 s if the server does not answer. With the SDK's settings it takes 45 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // A page of a busy cart's history can be larger than gRPC's default limit of 4 MB. The SDK (1.24) wants 128 MB too,
    // but sets them under a name that gRPC does not know.
    'grpc.max_receive_message_length': 128 * 1024 * 1024,
  };
  const usual = defaultGrpcRetryOptions();
  const retry = makeGrpcRetryInterceptor({
    ...usual,
    retryableDecider: (attempt, status) => !saysClosing(status) && usual.retryableDecider(attempt, status),
  });
  const connection = Connection.lazy({ ...options, channelArgs, interceptors: [retry] });
  const check = () =>
    connection.withDeadline(Date.now() + 1_500, () => connection.workflowService.describeNamespace({ namespace }));
  return { client: new Client({ connection, namespace }), check, close: () => connection.close() };
}

/** Opens the connection of a worker. @throws Error that names the address, if Temporal does not answer. */
export async function openWorkerConnection({
  connection: options,
}: Pick<TemporalNamespace, 'connection'>): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    throw new Error(
      `Temporal does not answer at ${options.address ?? 'localhost:7233'}. ` +
        'Start it, or set TEMPORAL_ADDRESS to its address.',
      { cause: error },
    );
  }
}
