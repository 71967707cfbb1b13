import { once } from 'node:events';
import { access, constants, mkdir, realpath, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';

/** The data folder, locked by this process. */
export interface DataDirLock {
  /** The folder with every symbolic link resolved. */
  readonly path: string;
  release(): Promise<void>;
}

/**
 * Locks the data folder for this process, and creates it if it does not exist. The lock is a listening socket, so it is
 * released as soon as its process ends, also after kill -9.
 * @throws Error if another process has locked the folder, or it cannot be written.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const path = await writableFolder(dataDir);
  const address = await lockAddress(path);
  const server = await listen(address).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return retake(address, path);
  });
  server.unref();
  return { path, release: () => close(server) };
}

async function writableFolder(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK | constants.X_OK);
    return await realpath(dataDir);
  } catch (error) {
    const owner = await stat(dataDir).catch(() => undefined);
    const whose = owner === undefined ? '' : ` It belongs to the user with id ${owner.uid}.`;
    throw new Error(
      `The data folder ${dataDir} cannot be written (${(error as Error).message}).${whose} ` +
        'Run as its owner, or set CART_DATA_DIR to a folder of your own.',
    );
  }
}

/** The name has the folder's inode, because a folder can have several paths. On Linux the socket needs no file. */
async function lockAddress(path: string): Promise<string> {
  const { dev, ino } = await stat(path);
  const name = `event-sourced-cart-${dev}-${ino}`;
  return process.platform === 'linux' ? `\0${name}` : `/tmp/${name}.sock`;
}

async function listen(address: string): Promise<Server> {
  const server = createServer((client) => client.on('error', () => client.destroy()).end(String(process.pid)));
  server.listen({ path: address });
  await once(server, 'listening');
  return server;
}

async function retake(address: string, path: string): Promise<Server> {
  const holder = await holderOf(address);
  if (holder !== undefined) {
    throw new Error(
      `Another instance (process ${holder}) uses the data folder ${path}: ` +
        'stop it, or set CART_DATA_DIR to another folder for this one.',
    );
  }
  if (!address.startsWith('\0')) await unlink(address);
  return listen(address);
}

async function holderOf(address: string): Promise<string | undefined> {
  const socket = connect(address);
  try {
    const [pid] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) });
    return String(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? undefined : 'unknown';
  } finally {
    socket.destroy();
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}
