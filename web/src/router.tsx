import type { ComponentChildren } from 'preact';
import { createStore, useStore } from './store.ts';

const path = createStore(location.pathname);
addEventListener('popstate', () => path.set(location.pathname));

/** The parts of the path: `['time', 'alice']`. */
export function usePath(): readonly string[] {
  return useStore(path).split('/').filter(Boolean).map(decodeURIComponent);
}

/** Goes to another page without loading one: tokens are in the memory of this one. */
export function goTo(target: string): void {
  history.pushState(null, '', target);
  path.set(location.pathname);
  scrollTo(0, 0);
}

interface LinkProps {
  readonly to: string;
  readonly children: ComponentChildren;
  readonly isCurrent?: boolean;
}

export function Link({ to, children, isCurrent = false }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a href={to} onClick={follow} {...(isCurrent ? { 'aria-current': 'page' as const } : {})}>
      {children}
    </a>
  );
}
