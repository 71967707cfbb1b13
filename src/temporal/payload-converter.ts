import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/**
 * Works like the default converter, but reading never throws: a payload that cannot be decoded becomes a text that says
 * so. Any client that can signal a workflow can send such a payload, and an error here would stop the cart permanently.
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
