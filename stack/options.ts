/**
 * The one typed configuration: every table size and build option, with its default, and what its value may be. Plain TypeScript, so
 * that the host tools read the same values that the device is compiled with. A board (`board.json`), an application (`app.json`) and
 * the command line (`--set NAME=VALUE`) may each override a value, the later one winning; `as-tcpip options` shows the result.
 *
 * Device code imports this as "options"; behind that name the compiler sees the values in force (host-tools/build/option-values.ts), an
 * editor this file. So there is no second list. The stack reads them from `stack/config.ts`.
 */
export const OPTIONS = {
  /** Descriptors, over all kinds of socket. */
  SOCKETS: 24,
  /**
   * SO_RCVLOWAT, SO_BINDTODEVICE, SO_RCVBUF and SO_SNDBUF that can be set, TCP_MAXSEG, TCP_DEFER_ACCEPT, TCP_CONGESTION, IP_PKTINFO,
   * IP_RECVERR; 0 leaves them out.
   */
  SOCKET_MORE_OPTIONS: 1,
  /** epoll instances; they cost nothing in an application that has none. */
  EPOLLS: 2,
  /** Timers of the event loop, and work that it can defer at a time; nothing without a loop. */
  LOOP_TIMERS: 8,
  LOOP_DEFERRED: 8,
  /** 1: the event loop stands on the completion queue, RING_ENTRIES sockets at most, and not on epoll. */
  LOOP_RING: 0,
  /** Operations of the completion queue that are under way at a time; nothing without one. */
  RING_ENTRIES: 16,
  /** TCP connections with state and rings: established, or being opened by us; 0 leaves TCP out. */
  TCP_TCBS: 12,
  /** Listening TCP sockets. */
  TCP_LISTENERS: 8,
  /** Half-open connections that peers have begun (the SYN queue). */
  TCP_SYN_RECORDS: 16,
  /** Connections in TIME-WAIT; the oldest gives way when full. */
  TCP_TIME_WAIT_RECORDS: 32,
  /** Receive ring of a connection, bytes. */
  TCP_RX_BYTES: 8192,
  /** Send ring of a connection, bytes. */
  TCP_TX_BYTES: 8192,
  /** Out-of-order ranges remembered per connection. */
  TCP_RANGES: 4,
  /** Selective acknowledgment, sent and used (RFC 2018, 2883, 6675), with tail loss probes (RFC 8985 7). */
  TCP_SACK: 1,
  /** Losses are found by the times of sending (RACK, RFC 8985): with TCP_SACK, 44 to 76 bytes for each connection, by TCP_TX_BYTES. */
  TCP_RACK: 1,
  /**
   * A recovery sends a part of what arrives (PRR, RFC 9937), neither nothing nor a burst: with TCP_RACK, 20 bytes for each connection.
   * Off: our rings hold a burst of 22 segments at most, and where many are lost by chance PRR is slower.
   */
  TCP_PRR: 0,
  /**
   * Losses that were none are taken back (RFC 4015), where both ends have SACK: found by timestamps (Eifel, RFC 3522), after a timeout
   * without these by what arrives next (F-RTO, RFC 5682), and by duplicates that the peer reports (RFC 3708). 16 bytes for each connection.
   */
  TCP_SPURIOUS: 1,
  /**
   * 1: a loss leaves 0.7 of the congestion window, as CUBIC says for windows of our size (RFC 9438 4.3, 4.6), and TCP_CONGESTION
   * chooses "reno" for a connection; 0: half, NewReno for all.
   */
  TCP_CUBIC: 1,
  /**
   * Congestion control. RFC 9293 MUST-19 asks for it; 0 is for a wire of one's own that nobody shares, and for comparisons: what is
   * in flight is then bounded by the peer's window alone.
   */
  TCP_CONGESTION_CONTROL: 1,
  /** Window scale (RFC 7323): the peer's windows may be larger than 64 KB; ours are not. */
  TCP_WINDOW_SCALE: 1,
  /** Timestamps with PAWS (RFC 7323), where the peer has them, too. */
  TCP_TIMESTAMPS: 1,
  /** Explicit congestion notification (RFC 3168), offered and taken. Off: old routers drop what they do not know. */
  TCP_ECN: 0,
  /** Urgent data is told to the application, and sent with MSG_OOB; without it only delivered in line. */
  TCP_URGENT: 1,
  /** Plain packets, datagrams for a socket, and the expected segment of an open connection take a shorter way through the headers, 3.5 KB of code; 0: all go the general one. */
  TCP_FAST_PATH: 1,
  /** Pieces that a send queue can hold (ring runs and zero-copy pieces); 0 = the ring alone, and MSG_ZEROCOPY copies. */
  TCP_TX_PIECES: 6,
  /**
   * Connections can be opened by us (connect), also by both ends at once. 0 leaves it out: connect() of a stream fails with EOPNOTSUPP, and
   * the device is a server alone.
   */
  TCP_CONNECT: 1,
  /**
   * Whoever comes when the SYN queue is full is answered with a cookie (RFC 4987). 0 leaves it out: his SYN is dropped, so a flood of SYNs
   * keeps newcomers out, unless nobody can send one.
   */
  TCP_SYN_COOKIES: 1,
  /**
   * ICMP: pings are answered, and what finds nobody here is refused. 0 leaves it out, errors that are heard (ICMP_ERRORS) among it: no ping
   * is answered, and a datagram for a port that nobody has, or a protocol, is dropped in silence. RFC 1122 asks for it.
   */
  ICMP: 1,
  /**
   * ICMP errors about what we have sent are heard: refused datagrams and connections, unreachable hosts, a smaller MTU. RFC 1122 asks for it;
   * 0, for a wire without routers, leaves them unheard: what is refused or too long for the path is known by the timeout alone.
   */
  ICMP_ERRORS: 1,
  /** Keep-alive and user timeout (SO_KEEPALIVE, TCP_USER_TIMEOUT). */
  TCP_KEEPALIVE: 1,
  /** Maximum segment lifetime, milliseconds; TIME-WAIT lasts twice that. */
  TCP_MSL_MS: 30000,
  /** Lower bound of the retransmission timeout, milliseconds (RFC 6298 2.4 says 1000; see docs). */
  TCP_RTO_MIN_MS: 200,
  /** Delay of an ACK, milliseconds (RFC 9293 MUST-40: below 500). */
  TCP_DELAYED_ACK_MS: 40,
  /** A listener may take connections to every port (the gateway only). */
  TCP_ANY_PORT: 0,
  /** The stack may take what routers take: packets to addresses that are not its own (the gateway only). */
  IP_ANY_ADDRESS: 0,
  /** UDP sockets. */
  UDP_SOCKETS: 6,
  /** Receive ring of a UDP socket, bytes (a datagram takes 12 bytes more than its payload). */
  UDP_RX_BYTES: 4096,
  /** Groups that datagram sockets may join (IP_ADD_MEMBERSHIP), 8 at most; 0 leaves multicast for sockets out. */
  MULTICAST_GROUPS: 0,
  /** Raw sockets, one IP protocol each (SOCK_RAW); 0 leaves them out. */
  RAW_SOCKETS: 0,
  /** Receive ring of a raw socket, bytes (a packet takes 4 bytes more than its length with the IP header). */
  RAW_RX_BYTES: 2048,
  /** AF_UNIX sockets, connections that wait to be accepted among them; 0 leaves them out. */
  LOCAL_SOCKETS: 0,
  /** Receive ring of an AF_UNIX socket, bytes (a datagram takes 8 bytes more than its length). */
  LOCAL_RING_BYTES: 512,
  /** Datagrams that can be put together from fragments at a time; 0 leaves reassembly out: fragments are dropped. */
  IP_REASSEMBLY_SLOTS: 4,
  /** Longest payload that is put together, bytes; a multiple of 8, and 560 at least (RFC 1122 3.3.2). */
  IP_REASSEMBLY_BYTES: 4096,
  /** Static routes (routeAdd), besides that to the subnet and that by the gateway; 0 leaves them out. */
  ROUTES: 0,
  /** Ethernet interfaces: 2 = a second chip (`nic2` of the board) with a LAN, an address and a lease of its own. */
  INTERFACES: 1,
  /** Neighbours in the ARP cache. */
  ARP_ENTRIES: 12,
  /**
   * Room for the latest packet that waits for an ARP reply, bytes of IP packet; 0 leaves it out. A room of 1500 bytes or more is the send ring
   * of a connection that is free, where such a ring is as long.
   */
  ARP_PENDING_BYTES: 1500,
  /**
   * Unit of address conflict detection, milliseconds: three to seven of them pass before a leased address is used. RFC 5227
   * says 1000, for networks where that is not felt; 1 makes it nearly no wait; 0 leaves conflict detection out: an address is used at once
   * and announced once, and nobody notices that another station has it, too.
   */
  ACD_UNIT_MS: 200,
  /**
   * Assertions, the application's own among them: what must not be resets the device, with a last word in its log. 0 leaves them out, 2 % of the
   * code: a fault of the program itself then goes on into memory that is not its own.
   */
  ASSERTIONS: 1,
  /**
   * A packet that is answered at once stays in the chip until there is room there for its answer, some milliseconds at most. 0: it is taken, and
   * an answer without room is lost, as with most stacks; whoever asked asks again.
   */
  ANSWERS_WAIT: 1,
  /** Counters of all that is dropped, refused or repaired, 4 bytes each; 0 leaves them out: a status page shows zeros. */
  STATISTICS: 1,
  /** Ring of the loopback device, bytes; 0 leaves it out. */
  LOOPBACK_BYTES: 4096,
  /** DHCP client. */
  DHCP: 1,
  /** An address of 169.254/16 while no DHCP server answers (RFC 3927). */
  AUTO_IP: 0,
  /** Names that the DNS client asks for or knows at a time, of 64 bytes each on average, and of 255 in all at least; 0 leaves it out. */
  DNS_ENTRIES: 4,
  /** Multicast DNS: `<host name>.local` and a service are answered for on the link; 0 leaves it out. */
  MDNS: 1,
  /** Routes of a web server (as-tcpip/http), 4 bytes each. */
  HTTP_ROUTES: 8,
  /** What is kept of each request besides its path, bytes: query, rest of the path, asked-for fields, body of a form; 0 leaves it out. */
  HTTP_KEEP_BYTES: 256,
  /** Request fields that handlers ask for (httpKeepField). */
  HTTP_FIELDS: 4,
  /** Sockets of its own that an application watches beside the web server (httpWatch). */
  HTTP_WATCHES: 1,
  /** Pins whose edges are events (gpioWatch); 0 leaves them out. */
  GPIO_WATCHES: 0,
  /** WebSocket (RFC 6455) in the web server; 0 leaves it out. */
  HTTP_WEBSOCKET: 0,
  /** The web server's echo of bodies, for tests of other clients (port 8080 of the demo); 0 leaves it out. */
  HTTP_ECHO: 0,
  /**
   * 1: text files of assets/ lie packed in flash, where they take about half; the web server, which is 160 bytes larger, unpacks them as it
   * sends, and an application reads them with `assetRead`.
   */
  ASSETS_PACKED: 0,
  /** First bytes of every frame that are mirrored over the log line (`npm run build -- --mirror`); 0 leaves it out. */
  MIRROR_BYTES: 0,
  /** 1: the ENC28J60 runs in full duplex, for a link partner that is forced to 10 Mbit/s full duplex. */
  ENC28J60_FULL_DUPLEX: 0,
};

/** The name of a build option. */
export type OptionName = keyof typeof OPTIONS;
/** A value for each build option. */
export type Options = { [name in OptionName]: number };

/** Number of a record as it is stored: u8 or u16 in device code (host-tools/build/option-values.ts). */
export type RecordNumber = number;

/** What the value of an option may be; where there is none, any whole number. */
export interface Range {
  min?: number;
  max: number;
  /** A multiple of this. */
  step?: number;
  /** A power of two. */
  ring?: boolean;
  /** Why, for people. */
  why: string;
}

const SWITCH: Range = { max: 1, why: "on or off" };
/** Offsets in rings are taken modulo their size, and stand in 16 bits. */
const RING: Range = { min: 16, max: 32768, ring: true, why: "a ring" };
const DESCRIPTORS: Range = { max: 1024, why: "each has a descriptor" };

/** Beside each limit what it comes from. */
export const RANGES: { [name in OptionName]?: Range } = {
  SOCKETS: { min: 1, max: 1024, why: "a set with a summary word holds no more (stack/bit-set.ts)" },
  UDP_SOCKETS: DESCRIPTORS,
  RING_ENTRIES: { max: 65000, why: "numbered with two bytes" },
  TCP_LISTENERS: DESCRIPTORS,
  LOCAL_SOCKETS: DESCRIPTORS,
  TCP_SYN_RECORDS: { min: 1, max: 65000, why: "peers' connections begin there" },
  TCP_TIME_WAIT_RECORDS: { min: 1, max: 65000, why: "connections that we close first end there" },
  ARP_ENTRIES: { min: 2, max: 1024, why: "the gateway keeps its own" },
  TCP_RX_BYTES: RING,
  TCP_TX_BYTES: RING,
  UDP_RX_BYTES: RING,
  RAW_RX_BYTES: RING,
  LOCAL_RING_BYTES: RING,
  LOOPBACK_BYTES: { max: 32768, ring: true, why: "a ring, or 0" },
  IP_REASSEMBLY_BYTES: {
    min: 560,
    max: 32768,
    step: 8,
    why: "RFC 1122 3.3.2; counted in units of 8",
  },
  TCP_RANGES: { max: 255, why: "counted in a byte of the TCB" },
  TCP_TX_PIECES: { max: 255, why: "counted in a byte of the TCB" },
  ROUTES: { max: 64, why: "each packet to another host looks at all of them" },
  INTERFACES: { min: 1, max: 2, why: "the compiler binds a driver to each" },
  MULTICAST_GROUPS: { max: 8, why: "a socket's groups are the bits of a byte" },
  TCP_MSL_MS: { max: 240000, why: "TIME-WAIT is timed with 16 bits of 16 ms" },
  TCP_RTO_MIN_MS: { min: 1, max: 60000, why: "the timeout stands in 16 bits" },
  TCP_DELAYED_ACK_MS: { max: 499, why: "RFC 9293 MUST-40" },
  SOCKET_MORE_OPTIONS: SWITCH,
  LOOP_RING: SWITCH,
  TCP_SACK: SWITCH,
  TCP_RACK: SWITCH,
  TCP_PRR: SWITCH,
  TCP_SPURIOUS: SWITCH,
  TCP_CUBIC: SWITCH,
  TCP_CONGESTION_CONTROL: SWITCH,
  TCP_WINDOW_SCALE: SWITCH,
  TCP_TIMESTAMPS: SWITCH,
  TCP_ECN: SWITCH,
  TCP_URGENT: SWITCH,
  TCP_FAST_PATH: SWITCH,
  TCP_CONNECT: SWITCH,
  TCP_SYN_COOKIES: SWITCH,
  ICMP: SWITCH,
  ICMP_ERRORS: SWITCH,
  ASSERTIONS: SWITCH,
  ANSWERS_WAIT: SWITCH,
  STATISTICS: SWITCH,
  TCP_KEEPALIVE: SWITCH,
  TCP_ANY_PORT: SWITCH,
  IP_ANY_ADDRESS: SWITCH,
  DHCP: SWITCH,
  AUTO_IP: SWITCH,
  MDNS: SWITCH,
  HTTP_WEBSOCKET: SWITCH,
  HTTP_ECHO: SWITCH,
  ASSETS_PACKED: SWITCH,
  ENC28J60_FULL_DUPLEX: SWITCH,
};
