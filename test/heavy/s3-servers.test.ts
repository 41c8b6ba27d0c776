import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect, it, onTestFinished } from "vitest";
import {
  garage,
  minio,
  type S3Server,
  startGarage,
  startMinio,
  startVersityGw,
  versityGw,
} from "../support/s3-servers";
import { describeWith, type Tool } from "../support/tools";

const WRITERS = 20;

const servers: readonly { tool: Tool; start: () => Promise<S3Server>; winners: number }[] = [
  { tool: versityGw, start: startVersityGw, winners: 1 },
  { tool: minio, start: startMinio, winners: 1 },
  { tool: garage, start: startGarage, winners: WRITERS },
];

for (const { tool, start, winners } of servers) {
  describeWith([tool], tool.name, () => {
    it("keeps an object and lists it", async () => {
      await using server = await start();
      const place = { Bucket: server.bucket, Key: "one" };
      await server.client.send(new PutObjectCommand({ ...place, Body: "kept" }));
      const { Body } = await server.client.send(new GetObjectCommand(place));
      expect(await Body?.transformToString()).toBe("kept");
      const { Contents } = await server.client.send(new ListObjectsV2Command({ Bucket: server.bucket }));
      expect(Contents?.map(({ Key }) => Key)).toEqual(["one"]);
    });

    it(`lets ${winners} of ${WRITERS} writers create one key, each if nothing is there yet`, async () => {
      await using server = await start();
      const write = (writer: number) =>
        server.client
          .send(
            new PutObjectCommand({
              Bucket: server.bucket,
              Key: "slot",
              Body: String(writer),
              IfNoneMatch: "*",
            }),
          )
          .then(
            () => true,
            () => false,
          );
      const won = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
      expect(won.filter(Boolean)).toHaveLength(winners);
    });
  });
}

describeWith([versityGw], "a user of versitygw", () => {
  it("may do nothing until a bucket policy says so", async () => {
    await using server = await startVersityGw();
    const credentials = await server.addUser();
    const { endpoint, region, bucket } = server;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    onTestFinished(() => client.destroy());
    const write = () => client.send(new PutObjectCommand({ Bucket: bucket, Key: "one", Body: "kept" }));
    await expect(write()).rejects.toMatchObject({ name: "AccessDenied" });
    const allowed = {
      Effect: "Allow",
      Principal: { AWS: [credentials.accessKeyId] },
      Action: ["s3:PutObject"],
      Resource: [`arn:aws:s3:::${bucket}/*`],
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
    await server.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    await write();
  });
});
