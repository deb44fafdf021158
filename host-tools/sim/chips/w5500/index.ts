export { W5500 } from "./w5500.js";
export type { LinkPartner, W5500Faults, W5500Options, W5500Rule } from "./options.js";
export type { Drops } from "./macraw.js";
