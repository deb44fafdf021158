export * from "../../host-tools/testing/wire-parse.js";
