/**
 * SQL of the note that a cart had after an event; null where it had none. Each event that changes the note has it in
 * its data, and where the cart has none afterwards, the one that it had.
 * @param event the name under which the statement has the event.
 */
export const noteAt = (event: string) => `
  (select case when type in ('NoteChanged', 'CartRestored') then data ->> 'note' end
   from cart_events n
   where n.user_id = ${event}.user_id and n.version <= ${event}.version and data -> 'note' is not null
   order by n.version desc limit 1)`;
