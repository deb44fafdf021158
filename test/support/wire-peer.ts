export * from "../../host-tools/testing/wire-peer.js";
