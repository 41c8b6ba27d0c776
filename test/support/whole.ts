/** All bytes of a source whose chunks are good only until the next is asked for. */
export async function whole(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of content) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}
