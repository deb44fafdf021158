/**
 * Table sizes and build options as compile-time constants. The host tools pass the values in force as `OPT_…` constants
 * (defaults and meaning: `options.ts`); derived values and the relations that must hold are checked here, at compile time.
 */
export const SOCKETS: u32 = OPT_SOCKETS;
export const SOCKET_MORE_OPTIONS: bool = OPT_SOCKET_MORE_OPTIONS != 0;
export const EPOLLS: u32 = OPT_EPOLLS;
export const LOOP_TIMERS: u32 = OPT_LOOP_TIMERS;
export const LOOP_DEFERRED: u32 = OPT_LOOP_DEFERRED;
export const LOOP_RING: bool = OPT_LOOP_RING != 0;
export const RING_ENTRIES: u32 = OPT_RING_ENTRIES;
export const TCP_TCBS: u32 = OPT_TCP_TCBS;
/** There is TCP: without connections there is none of it. */
export const TCP: bool = TCP_TCBS != 0;
export const TCP_LISTENERS: u32 = TCP ? OPT_TCP_LISTENERS : 0;
export const TCP_SYN_RECORDS: u32 = TCP ? OPT_TCP_SYN_RECORDS : 0;
export const TCP_TIME_WAIT_RECORDS: u32 = TCP ? OPT_TCP_TIME_WAIT_RECORDS : 0;
export const TCP_RX_BYTES: u32 = OPT_TCP_RX_BYTES;
export const TCP_TX_BYTES: u32 = OPT_TCP_TX_BYTES;
export const TCP_RANGES: u32 = OPT_TCP_RANGES;
export const TCP_SACK: bool = OPT_TCP_SACK != 0;
export const TCP_CUBIC: bool = OPT_TCP_CUBIC != 0;
export const TCP_CONGESTION_CONTROL: bool = OPT_TCP_CONGESTION_CONTROL != 0;
export const TCP_WINDOW_SCALE: bool = OPT_TCP_WINDOW_SCALE != 0;
export const TCP_TIMESTAMPS: bool = OPT_TCP_TIMESTAMPS != 0;
export const TCP_ECN: bool = OPT_TCP_ECN != 0;
export const TCP_URGENT: bool = OPT_TCP_URGENT != 0;
export const TCP_FAST_PATH: bool = OPT_TCP_FAST_PATH != 0;
export const TCP_TX_PIECES: u32 = OPT_TCP_TX_PIECES;
export const TCP_KEEPALIVE: bool = OPT_TCP_KEEPALIVE != 0;
export const TCP_MSL_MS: u32 = OPT_TCP_MSL_MS;
export const TCP_RTO_MIN_MS: u32 = OPT_TCP_RTO_MIN_MS;
export const TCP_DELAYED_ACK_MS: u32 = OPT_TCP_DELAYED_ACK_MS;
export const TCP_ANY_PORT: bool = OPT_TCP_ANY_PORT != 0;
export const IP_ANY_ADDRESS: bool = OPT_IP_ANY_ADDRESS != 0;
export const UDP_SOCKETS: u32 = OPT_UDP_SOCKETS;
export const UDP_RX_BYTES: u32 = OPT_UDP_RX_BYTES;
export const MULTICAST_GROUPS: u32 = OPT_MULTICAST_GROUPS;
export const RAW_SOCKETS: u32 = OPT_RAW_SOCKETS;
export const RAW_RX_BYTES: u32 = OPT_RAW_RX_BYTES;
export const LOCAL_SOCKETS: u32 = OPT_LOCAL_SOCKETS;
export const LOCAL_RING_BYTES: u32 = OPT_LOCAL_RING_BYTES;
export const IP_REASSEMBLY_SLOTS: u32 = OPT_IP_REASSEMBLY_SLOTS;
export const IP_REASSEMBLY_BYTES: u32 = OPT_IP_REASSEMBLY_BYTES;
export const ARP_ENTRIES: u32 = OPT_ARP_ENTRIES;
export const ARP_PENDING_BYTES: u32 = OPT_ARP_PENDING_BYTES;
export const ACD_UNIT_MS: u32 = OPT_ACD_UNIT_MS;
export const LOOPBACK_BYTES: u32 = OPT_LOOPBACK_BYTES;
export const DHCP: bool = OPT_DHCP != 0;
export const DNS_ENTRIES: u32 = OPT_DNS_ENTRIES;
export const MDNS: bool = OPT_MDNS != 0;
export const GPIO_WATCHES: u32 = OPT_GPIO_WATCHES;
export const HTTP_ROUTES: u32 = OPT_HTTP_ROUTES;
export const HTTP_KEEP_BYTES: u32 = OPT_HTTP_KEEP_BYTES;
export const HTTP_FIELDS: u32 = OPT_HTTP_FIELDS;
export const HTTP_WATCHES: u32 = OPT_HTTP_WATCHES;
export const HTTP_WEBSOCKET: bool = OPT_HTTP_WEBSOCKET != 0;
export const HTTP_ECHO: bool = OPT_HTTP_ECHO != 0;

/** Groups are joined, by multicast DNS or by sockets. */
export const IGMP: bool = MDNS || MULTICAST_GROUPS != 0;

/**
 * Numbers of records (connections, sockets, timers, operations) stand in records and chains as a `RecordNumber`: one byte, or
 * two where an option asks for more of a kind than a byte can tell apart (`recordNumberType` in options.ts).
 */
export const RECORD_NUMBER_BITS: u32 = (<u32>sizeof<RecordNumber>()) << 3;
/** No record: the number that none has. */
export const NO_RECORD: u32 = (1 << RECORD_NUMBER_BITS) - 1;

/** Largest IP packet that we send or take, bytes: Ethernet's. */
export const IP_MTU: u32 = 1500;

if ((TCP_RX_BYTES & (TCP_RX_BYTES - 1)) != 0) ERROR("TCP_RX_BYTES must be a power of two");
if ((TCP_TX_BYTES & (TCP_TX_BYTES - 1)) != 0) ERROR("TCP_TX_BYTES must be a power of two");
if ((UDP_RX_BYTES & (UDP_RX_BYTES - 1)) != 0) ERROR("UDP_RX_BYTES must be a power of two");
if (MULTICAST_GROUPS > 8) ERROR("a socket's groups are the bits of a byte");
if ((RAW_RX_BYTES & (RAW_RX_BYTES - 1)) != 0) ERROR("RAW_RX_BYTES must be a power of two");
if ((IP_REASSEMBLY_BYTES & 7) != 0 || IP_REASSEMBLY_BYTES > 32768 || IP_REASSEMBLY_BYTES < 560)
  ERROR("IP_REASSEMBLY_BYTES must be a multiple of 8 from 560 to 32768");
if ((LOCAL_RING_BYTES & (LOCAL_RING_BYTES - 1)) != 0)
  ERROR("LOCAL_RING_BYTES must be a power of two");
if ((LOOPBACK_BYTES & (LOOPBACK_BYTES - 1)) != 0) ERROR("LOOPBACK_BYTES must be a power of two");
if (TCP_RX_BYTES > 32768 || TCP_TX_BYTES > 32768) ERROR("a TCP ring holds 32768 bytes at most");
if (TCP_TCBS + TCP_SYN_RECORDS + TCP_TIME_WAIT_RECORDS > 65000)
  ERROR(
    "TCP_TCBS, TCP_SYN_RECORDS and TCP_TIME_WAIT_RECORDS together: 65000 at most, numbered with two bytes",
  );
if (SOCKETS > 1024)
  ERROR("SOCKETS: 1024 at most, what a set with a summary word holds (stack/bit-set.ts)");
if (UDP_SOCKETS > 1024) ERROR("UDP_SOCKETS: 1024 at most, each has a descriptor");
if (RING_ENTRIES > 65000) ERROR("RING_ENTRIES: 65000 at most, numbered with two bytes");
if (TCP_LISTENERS > 250) ERROR("TCP_LISTENERS: 250 at most, numbered with one byte");
