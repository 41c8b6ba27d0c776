export { log } from "../system/log";
