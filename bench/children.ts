import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export interface ChildOptions {
  readonly address: string;
  readonly databaseUrl: string;
}

/** What a process answers with once it is open. */
export interface Opened {
  readonly port?: number;
  readonly begunWorkflows?: () => number;
}

/** What a process has used since it began. */
export interface Usage {
  readonly cpuMs: number;
  /** Resident memory in bytes. */
  readonly rss: number;
  /** How many workflows the floor's worker has begun. */
  readonly begunWorkflows: number;
}

export type Question = 'usage' | 'collect';

/** A process of whom is measured. */
export interface Child {
  /** Of the HTTP server it is, if it is one. */
  readonly port: number;
  /** @param question `collect` has it collect garbage first. */
  usage(question?: Question): Promise<Usage>;
  stop(): Promise<void>;
}

/** Starts a process of this kind (see child.ts), and resolves once it is open. It ends with this process. */
export async function startChild(kind: string, options: ChildOptions): Promise<Child> {
  const child = fork(path.join(__dirname, 'child.js'), [kind, JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { port } = await message<{ port: number }>(child, kind);
  let asked: Promise<unknown> = Promise.resolve();
  return {
    port,
    usage(question = 'usage') {
      const answer = asked.then(() => {
        child.send(question);
        return message<Usage>(child, kind);
      });
      asked = answer;
      return answer;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function message<T>(child: ChildProcess, kind: string): Promise<T> {
  const answered = new AbortController();
  const exited = once(child, 'exit', { signal: answered.signal }).then(
    ([code]) => {
      throw new Error(`The process ${kind} ended with ${code}.`);
    },
    () => [],
  );
  const [answer] = await Promise.race([once(child, 'message'), exited]);
  answered.abort();
  return answer as T;
}
