/*
 * Second-stage loader of the RP2040 (datasheet 2.8.1.3): the boot ROM copies these 256 bytes from the start of flash to
 * RAM, checks the CRC in the last four (the build puts it there) and runs them. They set up execution in place and jump to
 * the program's reset vector at 0x10000100.
 *
 * Flash: any part with the Winbond W25Q command set (the W25Q16JV of the Pico and of the W5500-EVB-Pico): Fast Read Quad
 * I/O (EBh) in continuous mode, 20 SPI clocks a word. While the bus still speaks plain SPI, the flash's unique id (4Bh) is
 * left in the watchdog's scratch registers 0 and 1.
 *
 * Registers: r3 = SSI base (datasheet 4.10.13).
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .equ CTRLR0, 0x00
    .equ CTRLR1, 0x04
    .equ SSIENR, 0x08
    .equ BAUDR, 0x14
    .equ SR, 0x28
    .equ DR0, 0x60
    .equ RX_SAMPLE_DLY, 0xf0
    .equ SPI_CTRLR0, 0xf4

    .section .boot2, "ax"
    .global boot2
    .thumb_func
boot2:
    movs r3, #0x18
    lsls r3, r3, #24
    movs r6, #0
    movs r7, #1
    str r6, [r3, #SSIENR]
    movs r0, #2                     // clk_sys / 2: 62.5 MHz at 125 MHz
    str r0, [r3, #BAUDR]
    movs r1, #RX_SAMPLE_DLY         // sample one clk_sys later: the flash's output delay
    str r7, [r3, r1]
    lsls r0, r7, #19
    lsrs r1, r0, #3
    subs r0, r0, r1                 // 7 << 16: DFS_32 = 8 bits, transmit and receive, one lane
    str r0, [r3, #CTRLR0]
    str r7, [r3, #SSIENR]

    // Unique id: command, four dummy bytes, eight bytes. All 13 fit the FIFO, so CS# stays low.
    movs r0, #0x4b
    movs r2, #12
    bl command
    movs r2, #4
    bl take                         // drops the answer to the command and three dummies
    movs r2, #5
    bl take                         // one more dummy is shifted out at the top
    mov r4, r0
    movs r2, #4
    bl take
    ldr r1, =0x4005800c             // WATCHDOG SCRATCH0
    str r4, [r1, #0]
    str r0, [r1, #4]

    // Quad enable: bit 1 of status register 2.
    movs r0, #0x35
    movs r2, #1
    bl command
    movs r2, #2
    bl take
    lsrs r0, r0, #2
    bcs quad
    movs r0, #0x06                  // write enable
    movs r2, #0
    bl command
    movs r2, #2
    movs r0, #0x01                  // write status registers: 0, then QE
    str r0, [r3, #DR0]
    str r6, [r3, #DR0]
    mov r0, r2
    movs r2, #0
    bl command
    movs r2, #4
    bl take
1:  movs r0, #0x05                  // until not busy; tens of milliseconds at most, once in the flash's life
    movs r2, #1
    bl command
    movs r2, #2
    bl take
    lsrs r0, r0, #1
    bcs 1b

quad:
    str r6, [r3, #SSIENR]
    ldr r0, =0x005f0300             // four lanes, 32-bit frames, EEPROM read
    str r0, [r3, #CTRLR0]
    str r6, [r3, #CTRLR1]
    movs r1, #SPI_CTRLR0
    ldr r0, =0x00002221             // 8-bit command on one lane, 32 bits of address and mode on four, 4 wait cycles
    str r0, [r3, r1]
    str r7, [r3, #SSIENR]
    movs r0, #0xeb                  // one read by hand; mode bits A0h make the flash expect no command from now on
    str r0, [r3, #DR0]
    movs r0, #0xa0
    movs r2, #0
    bl command
    str r6, [r3, #SSIENR]
    movs r1, #SPI_CTRLR0
    ldr r0, =0xa0002022             // no command; address and A0h on four lanes, 4 wait cycles
    str r0, [r3, r1]
    str r7, [r3, #SSIENR]

    ldr r0, =0x10000100
    ldr r1, =0xe000ed08             // VTOR
    str r0, [r1]
    ldmia r0!, {r1, r2}
    msr msp, r1
    bx r2

// Sends r0 and r2 zero bytes, waits until they are out.
command:
    str r0, [r3, #DR0]
1:  subs r2, #1
    bmi 2f
    str r6, [r3, #DR0]
    b 1b
2:  movs r0, #5
    ldr r1, [r3, #SR]
    ands r1, r0
    cmp r1, #4                      // TFE set, BUSY clear
    bne 2b
    bx lr

// Takes r2 bytes out of the receive FIFO; the last four are left in r0, first byte on top.
take:
    ldr r1, [r3, #DR0]
    lsls r0, r0, #8
    orrs r0, r1
    subs r2, #1
    bne take
    bx lr

    .ltorg
    .org 252                        // the CRC follows: an overlong loader is an error of the assembler
    .word 0
