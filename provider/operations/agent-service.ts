// The local platform alone has an agent, and so a service; the command line reaches both through operations.
export {
  installService,
  previewService,
  startInstalledAgent,
  uninstallService,
  type InstalledService,
} from "../platforms/local/service/install-service";
