/** A row of the table: bytes a second at losses of 0, 0.1, 1, 2, 5, 10, 20 and 30 %. */
export interface Row {
  buffer: number;
  bytesPerSecond: number[];
}

/** What smoltcp publishes of itself: the snapshot of `tests/netsim.rs`, as of the middle of 2026. */
export const PEER: Row[] = [
  { buffer: 1024, bytesPerSecond: [10238, 10023, 8341, 7084, 4003, 1870, 291, 61] },
  { buffer: 4096, bytesPerSecond: [35062, 33860, 26937, 21887, 14074, 7871, 1604, 402] },
  { buffer: 8192, bytesPerSecond: [77374, 72992, 58491, 46528, 29421, 15515, 3737, 711] },
  { buffer: 16384, bytesPerSecond: [161842, 159311, 127091, 104233, 55319, 27269, 7655, 1277] },
  { buffer: 32768, bytesPerSecond: [322945, 314780, 219671, 166588, 76626, 37775, 6079, 1156] },
];
