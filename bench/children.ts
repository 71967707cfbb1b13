import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { CleanUp } from './clean-up';

export interface ChildOptions {
  readonly address: string;
  readonly databaseUrl: string;
}

/** What a child process has once it is open. */
export interface Opened {
  /** The port of its HTTP server, if it has one. */
  readonly port?: number;
  /** How many workflows its worker has started; only the floor's worker counts them. */
  readonly startedWorkflows?: () => number;
}

/** What a child process has used since its start. */
export interface Usage {
  readonly cpuMs: number;
  /** Resident memory in bytes. */
  readonly rss: number;
  readonly startedWorkflows: number;
}

/** `collect` collects garbage before it measures. */
export type Question = 'usage' | 'collect';

/** A child process that is measured. */
export interface Child {
  /** The port of its HTTP server; 0 where it has none. */
  readonly port: number;
  usage(question?: Question): Promise<Usage>;
  stop(): Promise<void>;
}

/** Starts a child process of this kind (see child.ts). It resolves once the process is open. */
export async function startChild(cleanUp: CleanUp, kind: string, options: ChildOptions): Promise<Child> {
  const child = await cleanUp.start(async () => forkChild(kind, options), stop);
  const { port } = await nextMessage<{ port: number }>(child, kind);
  let lastAnswer: Promise<unknown> = Promise.resolve();
  return {
    port,
    usage(question = 'usage') {
      const answer = lastAnswer.then(() => {
        child.send(question);
        return nextMessage<Usage>(child, kind);
      });
      lastAnswer = answer;
      return answer;
    },
    stop: () => stop(child),
  };
}

/** The process is in a group of its own, so that the terminal's Ctrl-C reaches only this process, which stops it. */
const forkChild = (kind: string, options: ChildOptions): ChildProcess =>
  fork(path.join(__dirname, 'child.js'), [kind, JSON.stringify(options)], {
    detached: true,
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** @throws Error where the process exits instead. */
async function nextMessage<T>(child: ChildProcess, kind: string): Promise<T> {
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
