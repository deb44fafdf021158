/**
 * The hardware of a virtual board: functions that the host provides as the WebAssembly import module `hw`
 * (host-tools/sim/hw-imports.ts). Their meaning is that of the HAL functions of the same name (board.ts).
 */
export declare function spiSelect(): void;
export declare function spiDeselect(): void;
export declare function spiWrite(from: usize, bytes: u32): void;
export declare function spiRead(to: usize, bytes: u32): void;
export declare function spiPut(byte: u32): void;
export declare function spiGet(): u32;
export declare function delayNs(ns: u32): void;
export declare function chipReset(low: bool): void;
export declare function chipInterrupt(): bool;
export declare function clockMs(): u32;
export declare function clockUs(): u32;
export declare function sleepUntil(deadlineMs: u32): void;
export declare function entropy(): u32;
export declare function flashBase(): usize;
export declare function settingsBase(): usize;
export declare function watchdogFeed(): void;
export declare function gpioMode(pin: u32, mode: u32): void;
export declare function gpioRead(pin: u32): bool;
export declare function gpioWrite(pin: u32, high: bool): void;
export declare function gpioArm(pin: u32): bool;
export declare function gpioEdges(pin: u32): bool;
/** The second chip of a board that has two on one bus: its select (`spiDeselect` ends both), reset and interrupt pin. */
export declare function spiSelect2(): void;
export declare function chipReset2(low: bool): void;
export declare function chipInterrupt2(): bool;
/** A log line: number of its format, number of arguments, arguments (0 where there are fewer than four). */
export declare function log(id: u32, count: u32, a: u32, b: u32, c: u32, d: u32): void;
