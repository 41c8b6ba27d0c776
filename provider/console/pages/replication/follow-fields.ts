import type { ReplicationWish } from "../../../core/facets";
import { isCertificate } from "../../../operations/certificate";

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
}

export const EMPTY_FIELDS: FollowFields = {
  ...{ kind: "", addon: "", host: "", port: "6379", username: "", password: "", tls: false, ca: "" },
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
  return {
    kind: text("kind"),
    addon: text("addon"),
    host: text("host").trim(),
    port: text("port").trim(),
    username: text("username").trim(),
    password: text("password"),
    tls: text("tls") !== "",
    ca: text("ca").trim(),
  };
}

/** Whom they name, or what is wrong with them. */
export function wishFrom(
  fields: FollowFields,
): { readonly wish: ReplicationWish } | { readonly problems: FieldProblems } {
  const { kind, addon, host, port, username, password, tls, ca } = fields;
  if (kind === "addon")
    return addon === "" ? { problems: { addon: "Choose an add-on." } } : { wish: { kind: "addon", addon } };
  const problems: FieldProblems = {
    ...(host === "" ? { host: "Name the leader's host." } : {}),
    ...(/[\s/@]/.test(host) ? { host: "Write a host's name or address alone." } : {}),
    ...(isPort(port) ? {} : { port: "Write a whole number from 1 to 65535." }),
    ...(ca === "" || isCertificate(ca)
      ? {}
      : { ca: "This is no certificate in PEM: paste the text of the file, with its lines BEGIN and END." }),
    ...(ca !== "" && !tls ? { tls: "A certificate has no use without TLS." } : {}),
  };
  if (Object.keys(problems).length > 0) return { problems };
  return {
    wish: {
      ...{ kind: "external", host, port: Number(port), password },
      ...(username === "" ? {} : { username }),
      ...(tls ? { tls: ca === "" ? {} : { ca } } : {}),
    },
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
  "tls-wrong-name": "host",
};

/** The field whose value a preflight has something against; absent: none of them alone. */
export function fieldOf(code: string, kind: string): FieldName | undefined {
  return kind === "addon" ? "addon" : FIELD_OF[code];
}
