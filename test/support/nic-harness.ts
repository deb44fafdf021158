export * from "../../host-tools/testing/nic-harness.js";
