import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/**
 * As the default converter, but total when reading: a payload that cannot be decoded becomes a text saying so. Anyone who can
 * signal a workflow can send such a payload, and an error here would stop the cart for good.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      return `undecodable payload: ${error instanceof Error ? error.message : 'unknown error'}` as T;
    }
  },
};
