import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time';
import { NativeConnection } from '@temporalio/worker';
import { registerSearchAttributes } from '../../src/worker/register-search-attributes';
import { captureSdkLog } from './sdk-log';
import { until } from './until';

/** Creates a namespace with the carts' search attributes. Test files have user ids in common, so each needs its own. */
export async function createNamespace(address: string): Promise<string> {
  captureSdkLog();
  const namespace = `carts-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await until('the namespace accepts search attributes', () =>
      registerSearchAttributes(connection, namespace).then(
        () => true,
        () => false,
      ),
    );
    return namespace;
  } finally {
    await connection.close();
  }
}
