import type { Response } from 'express';

/**
 * Calls `then` once: when the answer has ended, or its connection is gone. An answer that waits behind another one of
 * its connection is told by Node.js of neither.
 */
export function whenEnded(res: Response, then: () => void): void {
  const { socket } = res.req;
  if (res.closed || socket.destroyed) {
    then();
    return;
  }
  const end = () => {
    res.off('close', end);
    socket.off('close', end);
    then();
  };
  res.on('close', end);
  socket.on('close', end);
}
