import type { Platform } from "../../platforms/contract";
import type { ConnectAdmin } from "../connect-admin";

/** With what an add-on is looked at. */
export interface Look {
  readonly platform: Platform;
  readonly connect: ConnectAdmin;
}
