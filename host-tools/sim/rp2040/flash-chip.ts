import { BasePeripheral, type RP2040 } from "rp2040js";

const CTRLR0 = 0x00;
const CTRLR1 = 0x04;
const SSIENR = 0x08;
const BAUDR = 0x14;
const SR = 0x28;
const DR0 = 0x60;
const RX_SAMPLE_DLY = 0xf0;
const SPI_CTRLR0 = 0xf4;
const RX_FIFO_WORDS = 16;

const TFNF_TFE = 6;
const RFNE = 8;

/** Lanes in CTRLR0.SPI_FRF. */
const QUAD = 2;

/**
 * Settings with which reads of 0x10000000 work (SSI: RP2040 datasheet 4.10.13; commands: W25Q16JV datasheet 8.2). All
 * read one frame of 32 bits for each address (CTRLR0: DFS_32 31, TMOD "EEPROM read"; CTRLR1: 0).
 */
const XIP_MODES = [
  // Fast Read Quad I/O in continuous mode: no command, address and A0h on four lanes, 4 wait cycles.
  { control: 0x005f0300, spi: 0xa0002022, continuous: true },
  // Read Data 03h: command and 24 bits of address on one lane; any flash knows it (pico-sdk's boot2_generic_03h).
  { control: 0x001f0300, spi: 0x03000218, continuous: false },
];

/**
 * The flash on its controller (SSI, RP2040 datasheet 4.10) as far as a second-stage loader uses it: commands in plain SPI
 * while it sets up, then execution in place. A Winbond W25Q: 4Bh unique id, 35h and 05h status, 06h and 01h status write,
 * EBh quad read, 03h read.
 */
export class FlashChip extends BasePeripheral {
  /** Status register 2; bit 1 = quad enable, off as in a part that was never used. */
  status2 = 0;
  private readonly registers = new Map<number, number>();
  private command: number[] = [];
  private answer: number[] = [];
  private writeEnabled = false;
  /** The flash takes an address where others take a command. */
  private continuous = false;

  constructor(
    mcu: RP2040,
    private readonly uniqueId: Uint8Array,
    private readonly onViolation: (message: string) => void,
  ) {
    super(mcu, "SSI");
  }

  /** True when instructions can be fetched from flash. */
  get executable(): boolean {
    return (
      this.get(SSIENR) === 1 &&
      this.get(CTRLR1) === 0 &&
      XIP_MODES.some(
        ({ control, spi, continuous }) =>
          this.get(CTRLR0) === control &&
          this.get(SPI_CTRLR0) === spi &&
          this.continuous === continuous,
      )
    );
  }

  override readUint32(offset: number): number {
    switch (offset) {
      case SR:
        // Whoever asks waits for the end of the command: chip select goes up.
        this.endCommand();
        return TFNF_TFE | (this.answer.length > 0 ? RFNE : 0);
      case DR0: {
        const byte = this.answer.shift();
        if (byte === undefined) this.onViolation("SSI: a read of the empty receive FIFO");
        return byte ?? 0;
      }
      case CTRLR0:
      case CTRLR1:
      case SSIENR:
      case BAUDR:
      case RX_SAMPLE_DLY:
      case SPI_CTRLR0:
        return this.get(offset);
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    switch (offset) {
      case SSIENR:
        if (value === 0) this.answer = [];
        break;
      case DR0:
        return this.send(value);
      case CTRLR0:
      case CTRLR1:
      case BAUDR:
      case RX_SAMPLE_DLY:
      case SPI_CTRLR0:
        if (this.get(SSIENR)) this.onViolation("SSI: a setting is written while the block is on");
        break;
      default:
        return super.writeUint32(offset, value);
    }
    this.registers.set(offset, value >>> 0);
  }

  private get(offset: number): number {
    return this.registers.get(offset) ?? 0;
  }

  private send(value: number): void {
    if (!this.get(SSIENR)) return this.onViolation("SSI: data is written while the block is off");
    this.command.push(value);
    if (((this.get(CTRLR0) >> 21) & 3) === QUAD) return;
    if (this.answer.length >= RX_FIFO_WORDS) {
      return this.onViolation("SSI: the receive FIFO overflows");
    }
    this.answer.push(this.reply(this.command.length - 1));
  }

  /** What the flash sends with byte number `index` of the command. */
  private reply(index: number): number {
    if (this.continuous || index === 0) return 0xff;
    switch (this.command[0]) {
      case 0x4b:
        return this.uniqueId[index - 5] ?? 0xff;
      case 0x35:
        return this.status2;
      case 0x05:
        return this.writeEnabled ? 2 : 0;
      default:
        return 0xff;
    }
  }

  private endCommand(): void {
    const command = this.command;
    this.command = [];
    switch (command[0]) {
      case undefined:
      case 0x4b:
      case 0x35:
      case 0x05:
        return;
      case 0x06:
        this.writeEnabled = true;
        return;
      case 0x01:
        if (!this.writeEnabled) return this.onViolation("flash: status write without 06h");
        if (command.length > 2) this.status2 = command[2] as number;
        this.writeEnabled = false;
        return;
      case 0xeb:
        if (!(this.status2 & 2)) this.onViolation("flash: quad read without quad enable");
        this.continuous = (((command[1] ?? 0) >> 4) & 3) === 2;
        return;
      default:
        this.onViolation(`flash: unknown command ${(command[0] as number).toString(16)}h`);
    }
  }
}
