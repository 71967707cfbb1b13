import { spawn } from 'node:child_process';

/** Ends what a run has started and removes its folder when the run's process is gone, even after kill -9. */
export interface Watchdog {
  /** Adds a process to those that are to end. */
  watch(pid: number): void;
  /** There is nothing left to end. */
  dismiss(): void;
}

// A pid may belong to another process by then: only one whose command line names the folder is ended.
const script = `
folder=$1; pids=
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do
  if ps -ww -o args= -p "$pid" 2>/dev/null | grep -q -F -- "$folder"; then kill -CONT "$pid"; kill -KILL "$pid"; fi
done 2>/dev/null
sleep 1
rm -rf "$folder"`;

/** @param folder of the run; every process of the run has it in its command line. */
export function startWatchdog(folder: string): Watchdog {
  const watchdog = spawn('sh', ['-c', script, 'watchdog', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  return {
    watch: (pid) => void watchdog.stdin.write(`${pid}\n`),
    dismiss() {
      watchdog.kill('SIGKILL');
      watchdog.stdin.destroy();
    },
  };
}
