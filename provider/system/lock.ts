import { DatabaseSync } from "node:sqlite";

/**
 * An exclusive lock that its holder's death releases, however it dies.
 *
 * Node has no flock. A pid file needs a guess about who is alive and a race to replace it; the lock that SQLite takes on
 * its file is the kernel's own (fcntl), on Linux and macOS alike. The file stays behind empty and means nothing.
 *
 * @returns absent when somebody else holds it.
 */
export function tryLock(path: string): Disposable | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      "PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
    );
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      database.close();
    },
  };
}
