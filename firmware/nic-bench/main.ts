/** A firmware that is nothing but a frame device: tests call its functions from the host. Fits every driver. */
export {
  nicInit,
  nicPoll,
  nicLink,
  nicVersion,
  nicDeadline,
  nicCounter,
  rxBegin,
  rxRead,
  rxSkip,
  rxEnd,
  rxPutBack,
  txReady,
  txAnswers,
  txBegin,
  txWrite,
  txEnd,
  txCancel,
} from "nic";

const BUFFER: usize = memory.data(4096, 4);

/** 4096 bytes of the device's memory for the test's use. */
export function buffer(): usize {
  return BUFFER;
}
