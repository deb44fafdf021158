/** The same board as the driver of the second chip sees it: same bus, another select, reset and interrupt pin. */
export * from "../../virtual/board";
export {
  chipInterrupt2 as chipInterrupt,
  chipReset2 as chipReset,
  spiSelect2 as spiSelect,
} from "../../virtual/hw";
