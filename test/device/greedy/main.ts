/** Wants more RAM than a Pico has. */
import { boardInit } from "board";

const HOARD: usize = memory.data(300000, 4);

export function main(): void {
  boardInit();
  store<u8>(HOARD, 1);
}
