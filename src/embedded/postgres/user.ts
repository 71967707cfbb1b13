import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How Postgres is run: as `uid`, by putting `prefix` before its command or by starting it with these ids. */
export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
  readonly prefix: readonly string[];
  readonly spawnIds: { readonly uid?: number; readonly gid?: number };
}

/**
 * The user Postgres runs as: ourselves, or `nobody` when we are root, which Postgres refuses. Where setpriv is
 * available `nobody` keeps root's right to reach files, so that a folder only root can enter will do.
 */
export async function postgresUser(): Promise<PostgresUser> {
  const [uid, gid] = [process.getuid!(), process.getgid!()];
  if (uid !== 0) return { uid, gid, prefix: [], spawnIds: {} };
  const [nobody, group] = [await idOfNobody('-u'), await idOfNobody('-g')];
  const prefix = setpriv(nobody, group);
  const works = await run(prefix[0]!, [...prefix.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  return works
    ? { uid: nobody, gid: group, prefix, spawnIds: {} }
    : { uid: nobody, gid: group, prefix: [], spawnIds: { uid: nobody, gid: group } };
}

function setpriv(uid: number, gid: number): string[] {
  const caps = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...caps];
}

async function idOfNobody(which: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [which, 'nobody'])).stdout);
}
