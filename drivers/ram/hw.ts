/** Gives a frame (no FCS) to the host: `bytes` bytes at `at`, valid during the call. */
export declare function frameOut(at: usize, bytes: u32): void;
