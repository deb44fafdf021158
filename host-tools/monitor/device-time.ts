const WRAP_US = 2 ** 32;
/** A device whose clock is further off than this has been reset. */
const DRIFT_US_MAX = 5_000_000;

/**
 * Turns a device's free-running 32-bit microseconds into host time. The first stamp is taken for
 * now; later ones keep the device's distances, across the wrap every 71 minutes. A stamp that fits
 * no number of wraps is that of a device that was reset: the count begins anew.
 */
export class DeviceTime {
  /** The last stamp: when it came, what it said, what it was turned into. */
  private last: { hostUs: number; deviceUs: number; resultUs: number } | undefined;

  /** @param hostUs the host's clock, µs since 1970. */
  toHostUs(deviceUs: number, hostUs: number): number {
    let resultUs = hostUs;
    if (this.last) {
      // Since the last stamp, not since the first: two crystals drift apart slowly.
      const expected = hostUs - this.last.hostUs + this.last.deviceUs;
      const wraps = Math.round((expected - deviceUs) / WRAP_US);
      const unwrapped = deviceUs + wraps * WRAP_US;
      if (Math.abs(unwrapped - expected) <= DRIFT_US_MAX) {
        resultUs = this.last.resultUs + unwrapped - this.last.deviceUs;
      }
    }
    this.last = { hostUs, deviceUs, resultUs };
    return resultUs;
  }
}
