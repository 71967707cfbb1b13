import { setTimeout as delay } from 'node:timers/promises';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributeKeys, searchAttributeTypes } from '../contract/search-attributes';

/**
 * Registers the carts' search attributes if they are missing. Without them, every workflow task of a cart fails.
 * @throws Error with the commands to run, if the connection has no permission to register them (as on Temporal Cloud).
 */
export async function registerSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributeKeys.filter(({ name }) => customAttributes?.[name] === undefined);
  if (missing.length > 0) await register(connection, namespace, missing);
  await waitUntilAccepted(connection, namespace);
}

async function register(
  connection: NativeConnection,
  namespace: string,
  missing: typeof searchAttributeKeys,
): Promise<void> {
  const searchAttributes = Object.fromEntries(
    missing.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)!]),
  );
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    const commands = missing.map(
      ({ name }) =>
        `  temporal operator search-attribute create --namespace ${namespace} ` +
        `--name ${name} --type ${searchAttributeTypes[name]}`,
    );
    throw new Error(`These search attributes are missing. Register them, then start again:\n${commands.join('\n')}`, {
      cause: error,
    });
  }
}

/** The server lists an attribute before all of its services accept it. If a query accepts it, a workflow can set it. */
async function waitUntilAccepted(connection: NativeConnection, namespace: string): Promise<void> {
  const query = searchAttributeKeys.map(({ name, type }) => `${name} = ${type === 'INT' ? 0 : "'x'"}`).join(' and ');
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(
          `The search attributes of namespace ${namespace} are registered, but the server does not accept them.`,
          {
            cause: error,
          },
        );
      }
      await delay(250);
    }
  }
}
