/**
 * `as-tcpip` for host programs: compile firmware, build images, and run devices in simulated networks. Tests of firmware
 * import `as-tcpip/testing`; device code imports `as-tcpip/net` and its siblings.
 */
export { compileFirmware, type CompileRequest, type Firmware } from "./build/compile.js";
export { explainOptions, type OptionOrigin, type OptionValue } from "./build/apps.js";
export { listBoards, loadBoard, type Board } from "./build/boards.js";
export { buildImage, type BuildRequest, type BuiltImage } from "./build/device/build.js";
export { UserError } from "./errors.js";
export { OPTIONS, type OptionName, type Options } from "../stack/options.js";
