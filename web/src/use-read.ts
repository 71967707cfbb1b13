import { useEffect, useState } from 'preact/hooks';
import { explain } from './problems.ts';

interface Read<T> {
  /** What was read last: while the next one is read, the one before. */
  readonly value: T | undefined;
  readonly problem: string | undefined;
}

/** Reads again whenever an input is another one. That ends the read before. */
export function useRead<T>(read: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Read<T> {
  const [state, setState] = useState<Read<T>>({ value: undefined, problem: undefined });
  useEffect(() => {
    const left = new AbortController();
    read(left.signal)
      .then((value) => setState({ value, problem: undefined }))
      .catch((error) => {
        if (!left.signal.aborted) setState(({ value }) => ({ value, problem: explain(error) }));
      });
    return () => left.abort();
  }, inputs);
  return state;
}
