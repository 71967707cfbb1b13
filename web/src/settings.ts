/** What the server says about itself, in the page. */
interface Settings {
  /** The origin of the command side; absent where it is that of the page. */
  readonly commands?: string;
  /** The audience of the tokens of staff. */
  readonly staffAudience?: string;
  /** Whether everybody may do everything. */
  readonly isOpen?: boolean;
}

const element = document.querySelector<HTMLMetaElement>('meta[name=cart-pages]');

export const settings = JSON.parse(element?.content ?? '{}') as Settings;
