/**
 * Working bytes shared by code that needs a few for a moment. Contents are good only until the next call that leaves the
 * file, `ipBegin`, `ipWrite`, `ipEnd` and the link's stream functions excepted: those never touch them.
 */
export const SCRATCH_BYTES: u32 = 128;
export const SCRATCH: usize = memory.data(SCRATCH_BYTES, 4);
