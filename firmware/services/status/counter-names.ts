/**
 * Names of the counters for people, in the order of `Counter` (stack/statistics.ts) and
 * `NicCounter` (drivers/nic-counters.ts): words in a few texts in flash.
 */
import { Text, text, textAddress, textBytes } from "board";
import { jsonKeyBytes } from "../http/json-out";

const GROUPS: u32 = 12;
const NIC_GROUP: u32 = 10;

function group(index: u32): Text {
  switch (index) {
    case 0:
      return text(
        "ethernetIn ethernetTooShort ethernetNotOurs ethernetUnknownType ethernetBadSource ",
      );
    case 1:
      return text("arpIn arpBad arpConflict arpPendingDropped ");
    case 2:
      return text("ipIn ipOut ipBadHeader ipBadLength ipBadChecksum ipBadSource ipNotOurs ");
    case 3:
      return text(
        "ipFragment ipReassembled ipReassemblyFailed ipSourceRoute ipUnknownProtocol ipNoRoute ",
      );
    case 4:
      return text("icmpIn icmpBad icmpBadChecksum icmpEcho icmpErrorOut icmpRateLimited ");
    case 5:
      return text(
        "udpIn udpOut udpBadLength udpBadChecksum udpNoPort udpRingFull dhcpBad dnsOut dnsBad mdnsConflict ",
      );
    case 6:
      return text("tcpIn tcpOut tcpBadHeader tcpBadChecksum tcpNoConnection tcpResetIn ");
    case 7:
      return text("tcpResetOut tcpOutOfWindow tcpOutOfOrder tcpRangeTableFull tcpChallengeAck ");
    case 8:
      return text("tcpSynDropped tcpCookieSent tcpAcceptDeferred tcpRetransmit tcpFastRetransmit ");
    case 9:
      return text(
        "tcpTimeout tcpWindowProbe tcpTailProbe tcpKeepAlive tcpTimeWaitEvicted loopbackFull rawRingFull ",
      );
    case 10:
      return text("rxFrames txFrames rxBadHeader rxOverflow rxResets txErrors txTimeouts ");
    default:
      return text("txRetries txResets reinits linkChanges ");
  }
}

/** Begins the member of a counter of the stack. */
export function putCounterName(index: u32): void {
  putWord(0, index);
}

/** Begins the member of a counter of the frame device. */
export function putNicCounterName(index: u32): void {
  putWord(NIC_GROUP, index);
}

/** Each word is followed by a space. */
function putWord(firstGroup: u32, index: u32): void {
  for (let g = firstGroup; g < GROUPS; g++) {
    const words = group(g);
    const from = textAddress(words);
    let begin: u32 = 0;
    for (let i: u32 = 0, n = textBytes(words); i < n; i++) {
      if (load<u8>(from + <usize>i) != 0x20) continue;
      if (index == 0) return jsonKeyBytes(from + <usize>begin, i - begin);
      index--;
      begin = i + 1;
    }
  }
}
