/** The wall clock as text, in UTC. */
import { putCharacter, putNumber, putText } from "as-tcpip/firmware/services/writer";
import { Text, text, textAddress } from "as-tcpip/text";

// The date that `split` has found.
let year: u32 = 0;
let month: u32 = 0;
let day: u32 = 0;

/** Days since 1970 as a date: in eras of 400 years that begin in March. */
function split(days: u32): void {
  const since = days + 719468;
  const ofEra = since % 146097;
  const yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365;
  const ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const part = (5 * ofYear + 2) / 153;
  month = part < 10 ? part + 3 : part - 9;
  day = ofYear - (153 * part + 2) / 5 + 1;
  year = (since / 146097) * 400 + yearOfEra + (month <= 2 ? 1 : 0);
}

function putTwo(value: u32): void {
  if (value < 10) putCharacter(0x30);
  putNumber(value);
}

function putTime(seconds: u32): void {
  putTwo((seconds / 3600) % 24);
  putCharacter(0x3a);
  putTwo((seconds / 60) % 60);
  putCharacter(0x3a);
  putTwo(seconds % 60);
}

/** Seconds since 1970 as RFC 3339 has them: 2026-11-25T19:20:05Z. */
export function putTimestamp(seconds: u32): void {
  split(seconds / 86400);
  putNumber(year);
  putCharacter(0x2d);
  putTwo(month);
  putCharacter(0x2d);
  putTwo(day);
  putCharacter(0x54);
  putTime(seconds);
  putCharacter(0x5a);
}

/** Three characters out of a row of names. */
function putThird(names: Text, index: u32): void {
  const at = textAddress(names) + <usize>(index * 3);
  for (let i: usize = 0; i < 3; i++) putCharacter(load<u8>(at + i));
}

/** The same as RFC 5322 has it: Wed, 25 Nov 2026 19:20:05 +0000. */
export function putMailDate(seconds: u32): void {
  split(seconds / 86400);
  putThird(text("SunMonTueWedThuFriSat"), (seconds / 86400 + 4) % 7);
  putText(text(", "));
  putNumber(day);
  putCharacter(0x20);
  putThird(text("JanFebMarAprMayJunJulAugSepOctNovDec"), month - 1);
  putCharacter(0x20);
  putNumber(year);
  putCharacter(0x20);
  putTime(seconds);
  putText(text(" +0000"));
}
