import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that Postgres runs as. Put `prefix` before its command, and start it with `spawnIds`. */
export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
  readonly prefix: readonly string[];
  readonly spawnIds: { readonly uid?: number; readonly gid?: number };
}

/**
 * Finds the user to run Postgres as: the user of this process, or `nobody` instead of root, as which Postgres does not
 * run. With setpriv, `nobody` keeps root's access to files, so a data folder that only root can enter works too.
 */
export async function postgresUser(): Promise<PostgresUser> {
  const [uid, gid] = [process.getuid!(), process.getgid!()];
  if (uid !== 0) return { uid, gid, prefix: [], spawnIds: {} };
  const [nobody, group] = [await idOfNobody('-u'), await idOfNobody('-g')];
  const prefix = setpriv(nobody, group);
  const hasSetpriv = await run(prefix[0]!, [...prefix.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  return hasSetpriv
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
