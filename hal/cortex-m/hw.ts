/**
 * What AssemblyScript cannot say about a Cortex-M: volatile accesses, a few instructions, and addresses that the linker
 * knows. These are the WebAssembly imports of module `hw`; host-tools/build/c/hw-inline.h defines each as a
 * `static inline` function, so that a call is the instruction itself.
 *
 * Registers and all memory that DMA writes go through these; a plain load or store may be merged or dropped by the C
 * compiler.
 */

/** Volatile load of a 32-bit word; `at` is a multiple of 4. */
export declare function ld32(at: usize): u32;
/** Volatile store of a 32-bit word; `at` is a multiple of 4. */
export declare function st32(at: usize, value: u32): void;
/** Volatile load of 16 bits; `at` is even. */
export declare function ld16(at: usize): u32;
/** Volatile store of the low 16 bits; `at` is even. */
export declare function st16(at: usize, value: u32): void;
/** Volatile load of a byte. */
export declare function ld8(at: usize): u32;
/** Volatile store of the low 8 bits. */
export declare function st8(at: usize, value: u32): void;

/** Nothing is moved across this line, by the compiler or by the processor (DMB): before and after DMA. */
export declare function barrier(): void;

/**
 * Sleeps until an enabled interrupt is pending (WFI). Interrupts stay masked: the processor wakes, no handler runs, and
 * the caller clears what woke it.
 */
export declare function wfi(): void;

/** Waits `loops` turns of a three-cycle loop; 0 and 1 are one turn. */
export declare function spin(loops: u32): void;

/**
 * One's-complement sum of `words` 32-bit words at `at` (a multiple of 4) on top of `sum`, end-around carry included:
 * load-multiple and add-with-carry.
 */
export declare function sumWords(at: usize, words: u32, sum: u32): u32;

/** One's-complement sum of the five words at `at` (a multiple of 4), end-around carry included. */
export declare function sumHeader(at: usize): u32;

/** The same of the five words at `at`, the two at `more`, and `sum`. */
export declare function sumSegment(at: usize, more: usize, sum: u32): u32;

/** HalfSipHash-2-4 of eleven bytes (hal/cpu/half-sip-hash.ts), in the registers of a Cortex-M0+. */
export declare function halfSipHash(key0: u32, key1: u32, a: u32, b: u32, c: u32): u32;

/** Clears `bytes` at `at`: whole words on a word, at most 256 bytes, and a number that stands in the program. */
export declare function wordsClear(at: usize, bytes: u32): void;

/** Copies `bytes` from `from` to `to`, which do not overlap: as `wordsClear` takes them. */
export declare function wordsCopy(to: usize, from: usize, bytes: u32): void;

/** Swaps the bytes of each half-word (REV16). */
export declare function rev16(value: u32): u32;

/**
 * The address `at`, of which the compilers know nothing any more: what lies there is reached by one register and short offsets,
 * and not by an address of its own for each field, as for a constant.
 */
export declare function based(at: usize): usize;

/** Address of the read-only blob in flash. */
export declare function flashBase(): usize;
/** Address of the settings block in flash. */
export declare function settingsBase(): usize;

/**
 * Tells start-up where the log's ring lies, so that the last words come behind what was logged before: two words (bytes
 * ever put in, bytes that have left it), then `bytes` bytes, a power of two.
 */
export declare function logRing(at: usize, bytes: u32): void;

/** Where the RAM behind the program begins. */
export declare function spareRam(): usize;
