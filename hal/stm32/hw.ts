/**
 * ARM semihosting (BKPT 0xAB): a call to the program that emulates the processor. Only images for an emulator use it
 * (bridge.ts); host-tools/build/c/stm32f1/mcu.h and stm32f4/mcu.h define it.
 */
export declare function semihost(operation: u32, block: usize): u32;
