import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PostgresUser } from './user';

const run = promisify(execFile);

/** A complete Postgres cluster on disk, which is a data folder of a Postgres server. */
export interface Cluster {
  readonly folder: string;
  readonly password: string;
}

/**
 * Opens the cluster in `dataDir`, and creates it if it does not exist. It is created in a folder next to `dataDir` and
 * renamed when it is complete, so a killed process leaves no incomplete cluster in `dataDir`.
 * @throws Error if it belongs to another user or initdb fails.
 */
export async function openCluster(
  dataDir: string,
  initdb: string,
  user: PostgresUser,
  initdbOptions: readonly string[] = [],
): Promise<Cluster> {
  await removeLeftovers(dataDir);
  const found = await stat(dataDir).catch(() => undefined);
  if (found === undefined) await createCluster(dataDir, initdb, user, initdbOptions);
  else if (found.uid !== user.uid) throw new Error(belongsToAnother(dataDir, found.uid, user.uid));
  return {
    folder: path.join(dataDir, 'cluster'),
    password: await readFile(path.join(dataDir, 'password'), 'utf8'),
  };
}

async function createCluster(
  dataDir: string,
  initdb: string,
  user: PostgresUser,
  options: readonly string[],
): Promise<void> {
  const temporary = await mkdtemp(leftoverPrefix(dataDir));
  const passwordFile = path.join(temporary, 'password');
  await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  await chown(passwordFile, user.uid, user.gid);
  await chown(temporary, user.uid, user.gid);
  await initialise(initdb, path.join(temporary, 'cluster'), passwordFile, user, options);
  await chmod(temporary, 0o700);
  await rename(temporary, dataDir);
}

async function initialise(
  initdb: string,
  folder: string,
  passwordFile: string,
  user: PostgresUser,
  options: readonly string[],
): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const [command, ...args] = [...user.prefix, initdb, '-D', folder, ...locale, ...access, ...options];
  try {
    await run(command!, args, { cwd: '/', ...user.spawnIds });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const isOtherUser = user.spawnIds.uid !== undefined;
    const hint = isOtherUser ? ` It runs as the user with id ${user.uid}, who needs access to that folder.` : '';
    throw new Error(`Postgres could not create its data folder ${folder}.${hint}\n${stderr || message}`);
  }
}

/** Also removes the folder of an initdb that is still running. That initdb then fails, which does no harm. */
async function removeLeftovers(dataDir: string): Promise<void> {
  const prefix = path.basename(leftoverPrefix(dataDir));
  const parent = path.dirname(dataDir);
  const leftovers = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  for (const name of leftovers) {
    await rm(path.join(parent, name), { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
}

function leftoverPrefix(dataDir: string): string {
  return `${dataDir}.unfinished-`;
}

function belongsToAnother(dataDir: string, owner: number, wanted: number): string {
  return (
    `The Postgres data in ${dataDir} belongs to the user with id ${owner}, but here Postgres runs as ${wanted} ` +
    '(root runs it as nobody): start as the user who created it, or set CART_DATA_DIR to another folder.'
  );
}
