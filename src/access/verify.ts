import { type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify, errors as tokenErrors } from 'jose';
import { Problem } from '../http/problem';

/** Clocks may differ by so much: a token is accepted for so long after its end. */
export const clockToleranceSeconds = 60;

/** @throws Problem 401 if the token is not valid, 503 if its key cannot be fetched. */
export async function verify(token: string, findKey: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    const verified = await jwtVerify(token, findKey, {
      ...options,
      currentDate: new Date(Date.now()),
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp', 'sub'],
    });
    return verified.payload;
  } catch (error) {
    if (error instanceof tokenErrors.JWTExpired) throw invalidToken('it has expired');
    if (isOfToken(error)) throw invalidToken('it is not signed by a known key, not for this service, or not valid yet');
    throw new Problem(503, 'keys_unavailable', 'The keys that tokens are signed with cannot be fetched. Try again.', {
      retryAfterSeconds: 2,
    });
  }
}

/** Whether the token is wrong: else its key could not be fetched. A key that does not fit the token is a TypeError. */
const isOfToken = (error: unknown): boolean =>
  error instanceof TypeError ||
  [
    tokenErrors.JWKSNoMatchingKey,
    tokenErrors.JWKSMultipleMatchingKeys,
    tokenErrors.JOSEAlgNotAllowed,
    tokenErrors.JOSENotSupported,
    tokenErrors.JWSInvalid,
    tokenErrors.JWSSignatureVerificationFailed,
    tokenErrors.JWTClaimValidationFailed,
    tokenErrors.JWTInvalid,
  ].some((kind) => error instanceof kind);

export const invalidToken = (why: string): Problem =>
  new Problem(401, 'token_invalid', `The token is not valid: ${why}.`, {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
