import { formatProblem } from "../../../core/restore-fit";
import type { HomeIdentity } from "../../../core/status";
import type { BackupDetails } from "../../../operations/backup-catalog";
import { html, type Html } from "../../html";
import { homeOption } from "../../snippets/usual-home";
import { codeBlock } from "../parts/copyable";
import { asSentence } from "../parts/sentence";

/** How a backup is opened by hand, with nothing of this package. */
export function openingCard(name: string, { manifest }: BackupDetails, home: HomeIdentity | undefined): Html {
  const { archive, encryption, slot } = manifest;
  const option = home === undefined ? "" : homeOption(home);
  const byHand = [...decrypting(manifest), ...unpacking(archive.name)].join("\n");
  const withUs = `redis-addon backup download ${name} ${slot}${option} --extract ./copy && cd copy && redis-server --port 6380`;
  return html`<section class="card" aria-labelledby="opening-title">
    <h2 id="opening-title">Open it by hand</h2>
    <p>
      Any tar and any redis-server of a version that loads it do; <code>README.txt</code> in it says the same.
      ${asSentence(formatProblem(manifest, []).hint)}
    </p>
    ${codeBlock({ id: "by-hand", label: "the commands that open it by hand", text: byHand })}
    <p>
      Or, downloaded${encryption === undefined ? "" : ", decrypted"} and compared with its manifest at once:
    </p>
    ${codeBlock({ id: "with-us", label: "the command that downloads and extracts it", text: withUs })}
  </section>`;
}

function decrypting({ archive, encryption }: BackupDetails["manifest"]): string[] {
  if (encryption === undefined) return [];
  const plain = plainName(archive.name);
  return encryption.recipients === undefined
    ? ["# age asks for the passphrase:", `age --decrypt --output ${plain} ${archive.name}`]
    : [
        "# key.txt holds the identity of one of its recipients:",
        `age --decrypt --identity key.txt --output ${plain} ${archive.name}`,
      ];
}

function unpacking(archive: string): string[] {
  return [`mkdir copy && tar -xzf ${plainName(archive)} -C copy`, "cd copy && redis-server --port 6380"];
}

function plainName(archive: string): string {
  return archive.replace(/\.age$/, "");
}
