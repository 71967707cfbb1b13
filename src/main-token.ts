import { Command, InvalidArgumentError, Option } from 'commander';
import { createGuestTokens, isGuestId } from './access/guests';
import { createLocalToken, openLocalKeys } from './access/local-keys';
import { loadConfig } from './config';
import { describeError } from './describe-error';
import { idDescription, isId } from './domain/fields';
import { scopes } from './http/route';

const lifeSeconds = 86_400;

function readId(text: string): string {
  if (isId(text) && !isGuestId(text)) return text;
  throw new InvalidArgumentError(`It must be ${idDescription}, and not begin as the id of a guest.`);
}

const program = new Command('token')
  .description('Prints a token for the API that `npm start` has started. It is valid for a day.')
  .option('--user <id>', 'of a customer', readId)
  .option('--guest', 'of a new guest, to send as Cart-Token')
  .addOption(new Option('--scope <scopes...>', 'of staff').choices([...scopes, 'carts:act']))
  .option('--on-behalf-of <id>', 'with carts:act, the user for whom it acts', readId)
  .option('--subject <id>', 'who acts, as the log names it', readId, 'operator');

void (async () => {
  const { user, guest, scope, onBehalfOf, subject } = program.parse().opts();
  const { embedded, access } = loadConfig();
  const kinds = [user, guest, scope].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) program.error('Name one of --user, --guest and --scope.');
  const isAgent = scope?.includes('carts:act') ?? false;
  if (isAgent !== (onBehalfOf !== undefined)) program.error('carts:act and --on-behalf-of come together.');
  const keys = await openLocalKeys(embedded.dataDir);
  if (guest) {
    const { userId, cartToken } = await createGuestTokens(keys.guests, access.guestDays).issue();
    console.error(`The guest is ${userId}.`);
    console.log(cartToken);
  } else {
    console.log(await createLocalToken(keys, { subject: user ?? subject, scopes: scope, onBehalfOf, lifeSeconds }));
  }
})().catch((error: unknown) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
