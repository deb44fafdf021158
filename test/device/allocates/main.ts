/** Allocates memory at run time, which the build must refuse. */
import { boardInit } from "board";

export function main(): void {
  boardInit();
  // eslint-disable-next-line no-restricted-syntax -- this is the fault that the test plants
  const bytes = new StaticArray<u8>(16);
  bytes[3] = 1;
}
