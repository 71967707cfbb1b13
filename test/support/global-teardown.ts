import type { TestServers } from './global-setup';

/** Stops what `globalSetup` started. */
export default async function globalTeardown(): Promise<void> {
  const { testServers } = globalThis as { testServers?: TestServers };
  await testServers?.stop();
}
