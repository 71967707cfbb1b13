import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDataDir } from '../../src/embedded/data-dir';
import { assertPortFree, freePort } from '../../src/embedded/ports';

describe('the data folder', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = path.join(await mkdtemp(path.join(tmpdir(), 'cart-lock-')), 'data');
  });

  afterEach(() => rm(path.dirname(dataDir), { recursive: true }));

  it('is rejected for a second start, with the process that uses it and the variable to set', async () => {
    const lock = await lockDataDir(dataDir);
    await expect(lockDataDir(dataDir)).rejects.toThrow(
      `Another instance (process ${process.pid}) uses the data folder`,
    );
    await expect(lockDataDir(dataDir)).rejects.toThrow('CART_DATA_DIR');
    await lock.release();
  });

  it('is free again after its release', async () => {
    await (await lockDataDir(dataDir)).release();
    await (await lockDataDir(dataDir)).release();
  });

  it('is locked by exactly one of several starts at the same time', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => lockDataDir(dataDir)));
    const locks = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(locks).toHaveLength(1);
    await locks[0]!.value.release();
  });

  it('is rejected where it cannot be written, with the variable to set', async () => {
    await expect(lockDataDir('/dev/null/data')).rejects.toThrow(/cannot be written .* CART_DATA_DIR/s);
  });
});

describe('a port', () => {
  it('is rejected where it is in use, with the name of the variable that sets it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const message = `Port ${port} is in use: stop what uses it or set TEMPORAL_PORT to another port.`;
    await expect(assertPortFree('TEMPORAL_PORT', port)).rejects.toThrow(message);
    server.close();
    await once(server, 'close');
  });

  it('is accepted where it is free', async () => {
    await assertPortFree('TEMPORAL_PORT', await freePort());
  });
});
