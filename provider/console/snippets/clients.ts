import { forShell } from "../../core/for-shell";
import type { AddonStatus } from "../../core/status";
import { homeOption } from "./usual-home";

/** A piece of code that reaches an add-on. None holds a password, and none writes: it may be pasted as it stands. */
export interface Snippet {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** How REDIS_URL gets into a shell's environment without being shown. */
export function environmentLine({ name, home }: Pick<AddonStatus, "name" | "home">): string {
  return `export REDIS_URL="$(redis-addon info ${name}${homeOption(home)} --reveal --json | jq -r .redisUrl)"`;
}

/** Client libraries, each with the environment variable REDIS_URL. */
export const LIBRARIES: readonly Snippet[] = [
  {
    id: "ioredis",
    title: "Node.js: ioredis",
    text: `import { Redis } from "ioredis";

const redis = new Redis(process.env.REDIS_URL);
console.log(await redis.ping());
redis.disconnect();
`,
  },
  {
    id: "node-redis",
    title: "Node.js: node-redis",
    text: `import { createClient } from "redis";

const client = createClient({ url: process.env.REDIS_URL });
client.on("error", (error) => console.error(error));
await client.connect();
console.log(await client.ping());
await client.close();
`,
  },
  {
    id: "python",
    title: "Python: redis-py",
    text: `import os

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
print(client.ping())
`,
  },
  {
    id: "go",
    title: "Go: go-redis",
    text: `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	answer, err := client.Ping(context.Background()).Result()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}
`,
  },
];

/** Two ways for a person; both keep the password out of the list of processes. */
export function redisCli({
  name,
  home,
  host,
  port,
}: Pick<AddonStatus, "name" | "home" | "host" | "port">): string {
  return `# Finds the password by itself:
redis-addon connect ${name}${homeOption(home)}

# With any redis-cli, which asks for the password:
redis-cli -h ${forShell(host)} -p ${port} --askpass
`;
}
