import { OPTIONS, RecordNumber } from "options";

/**
 * Table sizes and build options as compile-time constants, and what follows from them. Defaults, meaning and what a value may be:
 * `options.ts`.
 */
export const SOCKETS: u32 = OPTIONS.SOCKETS;
export const SOCKET_MORE_OPTIONS: bool = OPTIONS.SOCKET_MORE_OPTIONS != 0;
export const EPOLLS: u32 = OPTIONS.EPOLLS;
export const LOOP_TIMERS: u32 = OPTIONS.LOOP_TIMERS;
export const LOOP_DEFERRED: u32 = OPTIONS.LOOP_DEFERRED;
export const LOOP_RING: bool = OPTIONS.LOOP_RING != 0;
export const RING_ENTRIES: u32 = OPTIONS.RING_ENTRIES;
export const TCP_TCBS: u32 = OPTIONS.TCP_TCBS;
/** There is TCP: without connections there is none of it. */
export const TCP: bool = TCP_TCBS != 0;
export const TCP_LISTENERS: u32 = TCP ? OPTIONS.TCP_LISTENERS : 0;
export const TCP_SYN_RECORDS: u32 = TCP ? OPTIONS.TCP_SYN_RECORDS : 0;
export const TCP_TIME_WAIT_RECORDS: u32 = TCP ? OPTIONS.TCP_TIME_WAIT_RECORDS : 0;
export const TCP_RX_BYTES: u32 = OPTIONS.TCP_RX_BYTES;
export const TCP_TX_BYTES: u32 = OPTIONS.TCP_TX_BYTES;
export const TCP_RANGES: u32 = OPTIONS.TCP_RANGES;
export const TCP_SACK: bool = OPTIONS.TCP_SACK != 0;
export const TCP_RACK: bool = TCP_SACK && OPTIONS.TCP_RACK != 0;
export const TCP_CUBIC: bool = OPTIONS.TCP_CUBIC != 0;
export const TCP_CONGESTION_CONTROL: bool = OPTIONS.TCP_CONGESTION_CONTROL != 0;
export const TCP_WINDOW_SCALE: bool = OPTIONS.TCP_WINDOW_SCALE != 0;
export const TCP_TIMESTAMPS: bool = OPTIONS.TCP_TIMESTAMPS != 0;
export const TCP_PRR: bool = TCP_RACK && TCP_CONGESTION_CONTROL && OPTIONS.TCP_PRR != 0;
export const TCP_SPURIOUS: bool = TCP_SACK && TCP_CONGESTION_CONTROL && OPTIONS.TCP_SPURIOUS != 0;
export const TCP_ECN: bool = OPTIONS.TCP_ECN != 0;
export const TCP_URGENT: bool = OPTIONS.TCP_URGENT != 0;
export const TCP_FAST_PATH: bool = OPTIONS.TCP_FAST_PATH != 0;
export const TCP_TX_PIECES: u32 = OPTIONS.TCP_TX_PIECES;
export const TCP_CONNECT: bool = OPTIONS.TCP_CONNECT != 0;
export const TCP_SYN_COOKIES: bool = OPTIONS.TCP_SYN_COOKIES != 0;
export const ICMP: bool = OPTIONS.ICMP != 0;
export const ICMP_ERRORS: bool = ICMP && OPTIONS.ICMP_ERRORS != 0;
if (ASC_NO_ASSERT != (OPTIONS.ASSERTIONS == 0)) ERROR("the compiler is told of ASSERTIONS");
export const ANSWERS_WAIT: bool = OPTIONS.ANSWERS_WAIT != 0;
export const STATISTICS: bool = OPTIONS.STATISTICS != 0;
export const TCP_KEEPALIVE: bool = OPTIONS.TCP_KEEPALIVE != 0;
export const TCP_MSL_MS: u32 = OPTIONS.TCP_MSL_MS;
export const TCP_RTO_MIN_MS: u32 = OPTIONS.TCP_RTO_MIN_MS;
export const TCP_DELAYED_ACK_MS: u32 = OPTIONS.TCP_DELAYED_ACK_MS;
export const TCP_ANY_PORT: bool = OPTIONS.TCP_ANY_PORT != 0;
export const IP_ANY_ADDRESS: bool = OPTIONS.IP_ANY_ADDRESS != 0;
export const UDP_SOCKETS: u32 = OPTIONS.UDP_SOCKETS;
export const UDP_RX_BYTES: u32 = OPTIONS.UDP_RX_BYTES;
export const MULTICAST_GROUPS: u32 = OPTIONS.MULTICAST_GROUPS;
export const RAW_SOCKETS: u32 = OPTIONS.RAW_SOCKETS;
export const RAW_RX_BYTES: u32 = OPTIONS.RAW_RX_BYTES;
export const LOCAL_SOCKETS: u32 = OPTIONS.LOCAL_SOCKETS;
export const LOCAL_RING_BYTES: u32 = OPTIONS.LOCAL_RING_BYTES;
export const IP_REASSEMBLY_SLOTS: u32 = OPTIONS.IP_REASSEMBLY_SLOTS;
export const IP_REASSEMBLY_BYTES: u32 = OPTIONS.IP_REASSEMBLY_BYTES;
export const ROUTES: u32 = OPTIONS.ROUTES;
export const INTERFACES: u32 = OPTIONS.INTERFACES;
export const ARP_ENTRIES: u32 = OPTIONS.ARP_ENTRIES;
export const ARP_PENDING_BYTES: u32 = OPTIONS.ARP_PENDING_BYTES;
export const ACD_UNIT_MS: u32 = OPTIONS.ACD_UNIT_MS;
/** Address conflict detection. */
export const ACD: bool = ACD_UNIT_MS != 0;
export const LOOPBACK_BYTES: u32 = OPTIONS.LOOPBACK_BYTES;
export const DHCP: bool = OPTIONS.DHCP != 0;
/** It is the DHCP client's last resort, and no address of 169.254/16 is used that was not probed. */
export const AUTO_IP: bool = DHCP && ACD && OPTIONS.AUTO_IP != 0;
export const DNS_ENTRIES: u32 = OPTIONS.DNS_ENTRIES;
export const MDNS: bool = OPTIONS.MDNS != 0;
export const GPIO_WATCHES: u32 = OPTIONS.GPIO_WATCHES;
export const HTTP_ROUTES: u32 = OPTIONS.HTTP_ROUTES;
export const HTTP_KEEP_BYTES: u32 = OPTIONS.HTTP_KEEP_BYTES;
export const HTTP_FIELDS: u32 = OPTIONS.HTTP_FIELDS;
export const HTTP_WATCHES: u32 = OPTIONS.HTTP_WATCHES;
export const HTTP_WEBSOCKET: bool = OPTIONS.HTTP_WEBSOCKET != 0;
export const HTTP_ECHO: bool = OPTIONS.HTTP_ECHO != 0;
export const ASSETS_PACKED: bool = OPTIONS.ASSETS_PACKED != 0;

/** Somebody here has a use for UDP. */
export const UDP: bool = UDP_SOCKETS != 0 || DHCP || DNS_ENTRIES != 0 || MDNS;
/** Groups are joined, by multicast DNS or by sockets. */
export const IGMP: bool = MDNS || MULTICAST_GROUPS != 0;
/** Nobody but TCP hears a packet, and none is put together: the smallest build, whose buffers hold no header of another. */
export const TCP_ALONE: bool =
  TCP && !UDP && !ICMP && !IGMP && RAW_SOCKETS == 0 && IP_REASSEMBLY_SLOTS == 0;
/** Segments have options of their own beside the MSS. */
export const TCP_OPTIONS: bool = TCP_SACK || TCP_TIMESTAMPS || TCP_WINDOW_SCALE;

/**
 * Numbers of records (connections, sockets, timers, operations) stand in records and chains as a `RecordNumber`: one byte, or
 * two where an option asks for more of a kind than a byte can tell apart (host-tools/build/option-values.ts).
 */
export const RECORD_NUMBER_BITS: u32 = (<u32>sizeof<RecordNumber>()) << 3;
/** No record: the number that none has. */
export const NO_RECORD: u32 = (1 << RECORD_NUMBER_BITS) - 1;

/** Largest IP packet that we send or take, bytes: Ethernet's. */
export const IP_MTU: u32 = 1500;
