export * from "../../host-tools/testing/wire.js";
