import { useState } from 'preact/hooks';
import { session, signIn, signOut } from './session.ts';
import { settings } from './settings.ts';
import { useStore } from './store.ts';

/** Signs in with a token. This page keeps it in memory alone. */
export function SignIn() {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    try {
      signIn(text.trim());
      setText('');
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <form class="sign-in" onSubmit={submit}>
      <label>
        <span>{settings.isOpen ? 'User' : 'Token'}</span>
        <input
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          required
          spellcheck={false}
          autocomplete="off"
        />
      </label>
      <button type="submit">Sign in</button>
      {settings.isOpen ? null : <p class="quiet">npm run --silent token -- --user alice</p>}
      {problem === undefined ? null : <p role="alert">{problem}</p>}
    </form>
  );
}

/** Who is signed in, and the way to change that. */
export function Account() {
  const { userId, guestId, token, isStaff } = useStore(session);
  const isGuest = userId === undefined || userId === guestId;
  if (isGuest && !isStaff) {
    return (
      <details class="account">
        <summary>Sign in</summary>
        <SignIn />
      </details>
    );
  }
  return (
    <p class="account">
      <span>{userId ?? (token === undefined ? '' : 'staff')}</span>
      <button type="button" class="plain" onClick={signOut}>
        Sign out
      </button>
    </p>
  );
}
