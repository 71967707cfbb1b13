import { Command } from 'commander';
import { createGuestTokens } from './access/guests';
import { createLocalToken, openLocalKeys } from './access/local-keys';
import { loadConfig } from './config';
import { describeError } from './describe-error';

const lifeSeconds = 86_400;

const program = new Command('token')
  .description('Prints a token for the API that `npm start` has started. It is valid for a day.')
  .option('--user <id>', 'of a customer')
  .option('--guest', 'of a new guest, to send as Cart-Token')
  .option('--scope <scopes...>', 'of staff: carts:read, carts:write, carts:act, catalogue:write, reports:read')
  .option('--on-behalf-of <id>', 'with carts:act, the user for whom it acts')
  .option('--subject <id>', 'who acts, as the log names it', 'operator');

void (async () => {
  const { user, guest, scope: scopes, onBehalfOf, subject } = program.parse().opts();
  const { embedded, access } = loadConfig();
  const kinds = [user, guest, scopes].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) program.error('Name one of --user, --guest and --scope.');
  const keys = await openLocalKeys(embedded.dataDir);
  if (guest) {
    const { userId, cartToken } = await createGuestTokens(keys.guests, access.guestDays).issue();
    console.error(`The guest is ${userId}.`);
    console.log(cartToken);
  } else {
    console.log(await createLocalToken(keys, { subject: user ?? subject, scopes, onBehalfOf, lifeSeconds }));
  }
})().catch((error: unknown) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
