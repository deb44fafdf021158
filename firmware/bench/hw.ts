/**
 * A frame device whose functions are the host's: each is an import, so that whoever counts instructions can leave the
 * device out of the count. The same contract as the chips' drivers (docs/architecture.md).
 */

/** Length of the oldest received frame, 0 = none; opens it. */
export declare function rxBegin(): u32;
/** Next bytes of the open frame. */
export declare function rxRead(to: usize, bytes: u32): void;
/** Passes over the next bytes of the open frame. */
export declare function rxSkip(bytes: u32): void;
/** Frees the open frame. */
export declare function rxEnd(): void;
/** Room for a frame of any length. */
export declare function txReady(): u32;
/** Opens a frame of exactly `bytes` to be sent; 0 = no room. */
export declare function txBegin(bytes: u32): u32;
/** Appends to the frame being sent. */
export declare function txWrite(from: usize, bytes: u32): void;
/** Sends the frame. */
export declare function txEnd(): void;
/** Forgets the frame. */
export declare function txCancel(): void;
