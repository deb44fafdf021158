export declare function nop(): void;
export declare function log(id: u32, argumentsCount: u32, a: u32, b: u32, c: u32, d: u32): void;
