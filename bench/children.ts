import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import type { CleanUp } from './clean-up';

export interface ChildOptions {
  readonly address: string;
  readonly databaseUrl: string;
  /** Where the keys are that sign tokens, for the kinds that take some. */
  readonly keysDir: string;
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

/** What a child process tells: once that it is open, its usage where it is asked, and what it has handled. */
export type Told = { readonly port: number } | { readonly usage: Usage } | { readonly handled: string };

/** A child process that is measured. */
export interface Child {
  /** The port of its HTTP server; 0 where it has none. */
  readonly port: number;
  /** Resolves once its worker has done the task of this command; only the floor's worker tells that. */
  untilHandled(commandId: string): Promise<void>;
  usage(question?: Question): Promise<Usage>;
  stop(): Promise<void>;
}

/** Starts a child process of this kind (see child.ts). It resolves once the process is open. */
export async function startChild(cleanUp: CleanUp, kind: string, options: ChildOptions): Promise<Child> {
  const child = await cleanUp.start(async () => forkChild(kind, options), stop);
  const handled = new EventEmitter().setMaxListeners(0);
  child.on('message', (told: Told) => {
    if ('handled' in told) handled.emit(told.handled);
  });
  const { port } = await untilTold(child, kind, 'port');
  let lastAnswer: Promise<unknown> = Promise.resolve();
  return {
    port,
    untilHandled: (commandId) => once(handled, commandId).then(() => undefined),
    usage(question = 'usage') {
      const answer = lastAnswer.then(async () => {
        child.send(question);
        return (await untilTold(child, kind, 'usage')).usage;
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

/** Waits until the child process tells this. @throws Error where the process exits instead. */
function untilTold<What extends 'port' | 'usage'>(
  child: ChildProcess,
  kind: string,
  what: What,
): Promise<Extract<Told, { readonly [key in What]: unknown }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (told: Told) => {
      if (!(what in told)) return;
      child.off('message', onMessage).off('exit', onExit);
      resolve(told as Extract<Told, { readonly [key in What]: unknown }>);
    };
    const onExit = (code: number) => reject(new Error(`The process ${kind} ended with ${code}.`));
    child.on('message', onMessage).once('exit', onExit);
  });
}
