import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { searchAttributeTypes } from '../../src/contract/search-attributes';
import { freePort } from '../../src/embedded/ports';
import { startTemporal } from '../../src/embedded/temporal/dev-server';
import { openWorld, type World } from './world';

/** A world with its own Temporal server, in which runs continue as new after few events. */
export interface ShortRunWorld extends World {
  readonly temporalAddress: string;
  /** A folder for files; it is removed when the world is closed. */
  readonly folder: string;
}

/** @param eventsPerRun the number of events in a history after which a cart continues as new. */
export async function openShortRunWorld(eventsPerRun: number): Promise<ShortRunWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cart-short-runs-'));
  const temporal = await startTemporal({
    cliPath: process.env.TEST_TEMPORAL_CLI!,
    port: await freePort(),
    logFile: path.join(folder, 'temporal.log'),
    namespace: 'default',
    searchAttributes: searchAttributeTypes,
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': eventsPerRun },
    log: () => {},
  });
  const closeServer = async () => {
    await temporal.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const world = await openWorld({ temporalAddress: temporal.address });
    return {
      ...world,
      temporalAddress: temporal.address,
      folder,
      async close() {
        try {
          await world.close();
        } finally {
          await closeServer();
        }
      },
    };
  } catch (error) {
    await closeServer();
    throw error;
  }
}
