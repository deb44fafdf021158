export * from "../../host-tools/testing/scripted-spi.js";
