import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./redis-server";
import { type ServerProcess, startServerProcess } from "./server-process";
import { findTool, pathOf } from "./tools";

const run = promisify(execFile);
/** What S3 clients assume where nothing else is said; all three servers take it. */
const REGION = "us-east-1";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An S3 server of a test's own on loopback, with an empty bucket; all of it is gone at the end. */
export interface S3Server extends S3Credentials, AsyncDisposable {
  /** "http://127.0.0.1:40123", for requests in path style. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly pid: number;
  /** A client with the server's own credentials, which may do everything; closed with the server. */
  readonly client: S3Client;
  /** What the server printed so far. */
  log(): string;
}

export interface VersityGw extends S3Server {
  /** A user who may do nothing until a bucket policy (its principal: the access key) says otherwise. */
  addUser(): Promise<S3Credentials>;
}

export const versityGw = findTool("versitygw");
export const minio = findTool("MinIO");
export const garage = findTool("Garage");

/** The main one: conditional writes as AWS has them, ready in 0.2 s. Needs the tool `versityGw`. */
export async function startVersityGw(): Promise<VersityGw> {
  const command = pathOf(versityGw);
  const credentials = newCredentials();
  const server = await startServerProcess("versitygw", async (port, folder) => {
    const [root, users] = [join(folder, "root"), join(folder, "users")];
    await Promise.all([mkdir(root), mkdir(users)]);
    return {
      command,
      args: ["--port", `127.0.0.1:${port}`, "--iam-dir", users, "--quiet", "posix", root],
      env: {
        ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    };
  });
  const s3 = await withBucket(server, credentials);
  return {
    ...s3,
    async addUser() {
      const user = newCredentials();
      const told = ["--access", user.accessKeyId, "--secret", user.secretAccessKey, "--role", "user"];
      await run(command, ["admin", "create-user", ...told], {
        env: {
          ADMIN_ACCESS_KEY_ID: credentials.accessKeyId,
          ADMIN_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ADMIN_ENDPOINT_URL: s3.endpoint,
        },
      });
      return user;
    },
  };
}

/** The cross-check, of the heavy tier. Needs the tool `minio`. */
export async function startMinio(): Promise<S3Server> {
  const command = pathOf(minio);
  const credentials = newCredentials();
  const server = await startServerProcess("minio", (port, folder) => ({
    command,
    args: ["server", "--address", `127.0.0.1:${port}`, "--quiet", join(folder, "data")],
    env: {
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_BROWSER: "off",
    },
  }));
  return withBucket(server, credentials);
}

/** A store that ignores conditional writes, of the heavy tier. Needs the tool `garage`. */
export async function startGarage(): Promise<S3Server> {
  const command = pathOf(garage);
  const bucket = newBucketName();
  // Garage takes keys of its own form only.
  const credentials = {
    accessKeyId: `GK${randomBytes(12).toString("hex")}`,
    secretAccessKey: randomBytes(32).toString("hex"),
  };
  const server = await startServerProcess("garage", async (port, folder) => {
    const config = join(folder, "garage.toml");
    const lines = [
      `metadata_dir = ${JSON.stringify(join(folder, "meta"))}`,
      `data_dir = ${JSON.stringify(join(folder, "data"))}`,
      'db_engine = "sqlite"',
      "replication_factor = 1",
      `rpc_bind_addr = "127.0.0.1:${await freePort()}"`,
      `rpc_secret = "${randomBytes(32).toString("hex")}"`,
      "[s3_api]",
      `s3_region = "${REGION}"`,
      `api_bind_addr = "127.0.0.1:${port}"`,
    ];
    await writeFile(config, `${lines.join("\n")}\n`, { mode: 0o600 });
    return {
      command,
      args: ["--config", config, "server", "--single-node", "--default-bucket"],
      env: {
        GARAGE_DEFAULT_ACCESS_KEY: credentials.accessKeyId,
        GARAGE_DEFAULT_SECRET_KEY: credentials.secretAccessKey,
        GARAGE_DEFAULT_BUCKET: bucket,
      },
    };
  });
  return opened(server, credentials, bucket);
}

async function withBucket(server: ServerProcess, credentials: S3Credentials): Promise<S3Server> {
  const s3 = opened(server, credentials, newBucketName());
  try {
    await s3.client.send(new CreateBucketCommand({ Bucket: s3.bucket }));
    return s3;
  } catch (error) {
    await s3[Symbol.asyncDispose]();
    throw error;
  }
}

function opened(server: ServerProcess, credentials: S3Credentials, bucket: string): S3Server {
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
  return {
    ...credentials,
    endpoint,
    region: REGION,
    bucket,
    client,
    pid: server.pid,
    log: () => server.log(),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

const newBucketName = () => `backups-${randomBytes(4).toString("hex")}`;

const newCredentials = (): S3Credentials => ({
  accessKeyId: `key-${randomBytes(6).toString("hex")}`,
  secretAccessKey: randomBytes(20).toString("hex"),
});
