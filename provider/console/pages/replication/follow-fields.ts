import type { LeaderTls, ReplicationWish } from "../../../core/facets";
import { isCertificate, isPrivateKey } from "../../../operations/certificate";

/** The texts of the form, as they were typed. */
export interface FollowFields {
  /** `addon`: one of this place; `address`: any Redis. */
  readonly kind: string;
  readonly addon: string;
  readonly host: string;
  readonly port: string;
  readonly username: string;
  readonly password: string;
  readonly tls: boolean;
  readonly ca: string;
  readonly serverName: string;
  readonly certificate: string;
  readonly key: string;
}

export const EMPTY_FIELDS: FollowFields = {
  ...{ kind: "", addon: "", host: "", port: "6379", username: "", password: "" },
  ...{ tls: false, ca: "", serverName: "", certificate: "", key: "" },
};

export type FieldName = keyof FollowFields;

/** Why a field can't be meant, each a sentence; no value of a secret stands in one. */
export type FieldProblems = Partial<Readonly<Record<FieldName, string>>>;

/** From what a form sent; files and repeated fields count as empty. */
export function fieldsFrom(sent: Readonly<Record<string, unknown>>): FollowFields {
  const text = (name: string): string => {
    const value = sent[name];
    return typeof value === "string" ? value : "";
  };
  // Of two forms on a page one was sent; the other is as it was.
  if (text("kind") === "addon") return { ...EMPTY_FIELDS, kind: "addon", addon: text("addon") };
  return {
    kind: text("kind"),
    addon: "",
    host: text("host").trim(),
    port: text("port").trim(),
    username: text("username").trim(),
    password: text("password"),
    tls: text("tls") !== "",
    ca: text("ca").trim(),
    serverName: text("serverName").trim(),
    certificate: text("certificate").trim(),
    key: text("key").trim(),
  };
}

/** Whom they name, or what is wrong with them. */
export function wishFrom(
  fields: FollowFields,
): { readonly wish: ReplicationWish } | { readonly problems: FieldProblems } {
  const { kind, addon, host, port, username, password } = fields;
  if (kind === "addon")
    return addon === "" ? { problems: { addon: "Choose an add-on." } } : { wish: { kind: "addon", addon } };
  const problems: FieldProblems = {
    ...(host === "" ? { host: "Name the leader's host." } : {}),
    ...(/[\s/@]/.test(host) ? { host: "Write a host's name or address alone." } : {}),
    ...(isPort(port) ? {} : { port: "Write a whole number from 1 to 65535." }),
    ...tlsProblems(fields),
  };
  if (Object.keys(problems).length > 0) return { problems };
  return {
    wish: {
      ...{ kind: "external", host, port: Number(port), password },
      ...(username === "" ? {} : { username }),
      ...(fields.tls ? { tls: tlsFrom(fields) } : {}),
    },
  };
}

const TLS_FIELDS = ["ca", "serverName", "certificate", "key"] as const;

function tlsFrom(fields: FollowFields): LeaderTls {
  const given = TLS_FIELDS.filter((field) => fields[field] !== "");
  return Object.fromEntries(given.map((field) => [field, fields[field]]));
}

const PASTE = "paste the text of the file, with its lines BEGIN and END.";

function tlsProblems(fields: FollowFields): FieldProblems {
  const { tls, ca, certificate, key } = fields;
  const isGiven = TLS_FIELDS.some((field) => fields[field] !== "");
  return {
    ...(isGiven && !tls ? { tls: "What stands below it has no use without TLS." } : {}),
    ...(ca === "" || isCertificate(ca) ? {} : { ca: `This is no certificate in PEM: ${PASTE}` }),
    ...(certificate === "" || isCertificate(certificate)
      ? {}
      : { certificate: `This is no certificate in PEM: ${PASTE}` }),
    ...(certificate === "" && key !== "" ? { certificate: "A key has no use without its certificate." } : {}),
    ...(key === "" || isPrivateKey(key)
      ? {}
      : { key: `This is no private key without a passphrase in PEM: ${PASTE}` }),
    ...(key === "" && certificate !== ""
      ? { key: "A certificate is shown with its key: give both, or neither." }
      : {}),
  };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

const FIELD_OF: Readonly<Record<string, FieldName>> = {
  "wrong-password": "password",
  "password-needed": "password",
  "not-permitted": "username",
  "leader-refuses-psync": "username",
  "unknown-host": "host",
  unreachable: "host",
  timeout: "host",
  refused: "port",
  "not-redis": "port",
  "no-tls": "tls",
  "tls-not-trusted": "ca",
  "tls-wrong-name": "serverName",
  "tls-certificate-needed": "certificate",
  "tls-certificate-refused": "certificate",
};

/** The field whose value a preflight has something against; absent: none of them alone. */
export function fieldOf(code: string, kind: string): FieldName | undefined {
  return kind === "addon" ? "addon" : FIELD_OF[code];
}
