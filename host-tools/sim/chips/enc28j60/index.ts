export { Enc28j60 } from "./enc28j60.js";
export {
  DEFAULT_RATES,
  EREVID,
  ERRATA,
  ERRATA_OF,
  type Enc28j60Options,
  type Erratum,
  type ErratumRates,
  type Faults,
  type Revision,
} from "./options.js";
