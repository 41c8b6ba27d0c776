import { isCertificate, isPrivateKey } from "../../operations/certificate";
import type { CheckFailure } from "../../pulumi/validate";
import type { RedisFollowerInputs } from "./inputs";

/** What can't be, whatever servers say. No reason repeats a value: a leader holds secrets. */
export function refusedInputs(inputs: Partial<RedisFollowerInputs>): CheckFailure[] {
  const { addon, leader, promote = false, switchedOver = false } = inputs;
  const failures: CheckFailure[] = [];
  if (addon !== undefined && addon === leader)
    failures.push(ofLeader(`${addon} can't follow itself: name another add-on`));
  if (promote && switchedOver)
    failures.push({
      property: "switchedOver",
      reason:
        "with `promote` the two are independent leaders, so they have no roles to exchange: leave one out",
    });
  if (switchedOver && leader !== undefined && typeof leader !== "string")
    failures.push({
      property: "switchedOver",
      reason:
        "roles are exchanged between two add-ons of this program, and this leader is given by its address: " +
        "use `promote: true`, which leaves that one as it is",
    });
  if (typeof leader === "object" && typeof leader.tls === "object")
    failures.push(...tlsProblems(leader.tls).map(ofLeader));
  return failures;
}

/** Not under the property's own name: the engine prints its value, and this one holds a password. */
export function ofLeader(reason: string): CheckFailure {
  return { property: "", reason: `\`leader\`: ${reason}` };
}

type Tls = Extract<Exclude<Exclude<RedisFollowerInputs["leader"], string>["tls"], undefined>, object>;

function tlsProblems({ ca, certificate, key }: Tls): string[] {
  const problems: string[] = [];
  if (ca !== undefined && !isCertificate(ca)) problems.push(notPem("tls.ca", "a certificate"));
  if (certificate !== undefined && !isCertificate(certificate))
    problems.push(notPem("tls.certificate", "a certificate"));
  if (key !== undefined && !isPrivateKey(key))
    problems.push(notPem("tls.key", "a private key without a passphrase"));
  if ((certificate === undefined) !== (key === undefined))
    problems.push("`tls.certificate` and `tls.key` belong together: give both, or neither");
  return problems;
}

function notPem(property: string, what: string): string {
  return `\`${property}\` is not ${what} in PEM: pass the text of the file, with its lines BEGIN and END`;
}
