import { connectDatabase } from '../../src/postgres/database';
import { migrate } from '../../src/postgres/migrations/migrate';
import { createDatabase } from '../support/database';

describe('a migration', () => {
  it('runs once on a new database when eight processes start at the same time', async () => {
    const database = await createDatabase({ migrated: false });
    const pools = Array.from({ length: 8 }, () => connectDatabase(database.url, { poolSize: 2, name: 'starting' }));
    try {
      await Promise.all(pools.map(migrate));
      const names = await database.db('migrations').pluck('name');
      expect(new Set(names).size).toBe(names.length);
      expect(await database.db('cart_events')).toEqual([]);
    } finally {
      await Promise.all(pools.map((pool) => pool.destroy()));
      await database.drop();
    }
  });

  it("succeeds although a killed process has left knex's lock", async () => {
    const database = await createDatabase();
    try {
      await database.db('migrations_lock').update({ is_locked: 1 });
      await migrate(database.db);
      expect(await database.db('migrations_lock').pluck('is_locked')).toEqual([0]);
    } finally {
      await database.drop();
    }
  });

  it('rejects a database that is newer than the code', async () => {
    const database = await createDatabase();
    try {
      await database.db('migrations').insert({ name: '9999-from-the-future', batch: 99 });
      await expect(migrate(database.db)).rejects.toThrow(/9999-from-the-future/);
    } finally {
      await database.drop();
    }
  });
});
