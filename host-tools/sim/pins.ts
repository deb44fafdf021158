import { DeviceTrap } from "./machine.js";

/** Pins of a virtual board (hal/virtual/board.ts), with its LED and its button. */
export const LED_PIN = 25;
export const BUTTON_PIN = 22;
/** A button is let go that long between two presses, so that a program which looks now and then sees both. */
export const RELEASED_MS = 100;

const [INPUT, PULL_UP, , OUTPUT] = [0, 1, 2, 3];
/** Pins of a virtual board. */
const PINS = 32;
/** Pins of an STM32 as its boards number them: PA0 is 0, PC13 is 45. */
export const STM32_PINS = 48;

interface Pin {
  mode: number;
  /** Level that the firmware drives as an output. */
  output: boolean;
  /** Level that something outside drives; undefined = nothing does. */
  outside: boolean | undefined;
  /** Edges are seen, and one was. */
  armed: boolean;
  edge: boolean;
}

/** The digital pins of a virtual board: what the firmware drives, and what is outside of them. */
export class Pins {
  /** Called when the firmware changes the level of a pin. */
  onChange: (pin: number, high: boolean) => void = () => undefined;
  private readonly pins: Pin[];

  constructor(count = PINS) {
    this.pins = Array.from({ length: count }, () => ({
      mode: INPUT as number,
      output: false,
      outside: undefined,
      armed: false,
      edge: false,
    }));
  }

  /** An edge waits to be seen: a sleeping processor wakes. */
  get news(): boolean {
    return this.pins.some(({ edge }) => edge);
  }

  /** Level of a pin: what drives it, or how it is pulled. */
  level(number: number): boolean {
    const { mode, output, outside } = this.pin(number);
    if (mode === OUTPUT) return output;
    return outside ?? mode === PULL_UP;
  }

  /** Drives a pin from outside, or lets it go. */
  drive(number: number, high: boolean | undefined): void {
    this.change(number, (pin) => (pin.outside = high));
  }

  /** Presses the button or lets it go; it is between its pin and ground. */
  press(pressed: boolean): void {
    this.drive(BUTTON_PIN, pressed ? false : undefined);
  }

  /** What the firmware calls: the imports of hal/virtual/hw.ts. */
  mode(number: number, mode: number): void {
    this.change(number, (pin) => (pin.mode = mode));
  }

  write(number: number, high: boolean): void {
    this.change(number, (pin) => (pin.output = high));
  }

  arm(number: number): boolean {
    const pin = this.pin(number);
    pin.armed = true;
    pin.edge = false;
    return true;
  }

  edges(number: number): boolean {
    const pin = this.pin(number);
    const seen = pin.edge;
    pin.edge = false;
    return seen;
  }

  private pin(number: number): Pin {
    const pin = this.pins[number];
    if (!pin)
      throw new DeviceTrap(`this board has the pins 0 to ${this.pins.length - 1}, not ${number}`);
    return pin;
  }

  private change(number: number, how: (pin: Pin) => void): void {
    const pin = this.pin(number);
    const before = this.level(number);
    how(pin);
    const after = this.level(number);
    if (before === after) return;
    if (pin.armed) pin.edge = true;
    if (pin.mode === OUTPUT) this.onChange(number, after);
  }
}
