import type { AddonRecord } from "../core/facets";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import type { RedisClient } from "../redis/client";
import { connectPatiently } from "../redis/connect-patiently";

/** The way to an add-on's server as its administrator; disposing the client ends or gives back the connection. */
export type ConnectAdmin = typeof connectAdmin;

/** The add-on's server, as its internal administrator. Disposing it closes the connection and the way to it. */
export async function connectAdmin(
  platform: Platform,
  record: AddonRecord,
  task: Pick<Task, "signal"> & Partial<Pick<Task, "clock">>,
): Promise<RedisClient> {
  const access = await platform.connect(record);
  try {
    const { host, port, username } = access;
    const password = access.password.reveal();
    const client = await connectPatiently({ host, port, username, password, subject: record.name }, task);
    return {
      ...client,
      [Symbol.asyncDispose]: async () => {
        await client[Symbol.asyncDispose]();
        await access[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await access[Symbol.asyncDispose]();
    throw error;
  }
}
