/** POSIX constants with the values of Linux. */
export const AF_UNSPEC: i32 = 0;
export const AF_UNIX: i32 = 1;
export const AF_INET: i32 = 2;
export const SOCK_STREAM: i32 = 1;
export const SOCK_DGRAM: i32 = 2;
export const SOCK_RAW: i32 = 3;
export const SOCK_NONBLOCK: i32 = 0x800;
export const IPPROTO_IP: i32 = 0;
export const IPPROTO_ICMP: i32 = 1;
export const IPPROTO_TCP: i32 = 6;
export const IPPROTO_UDP: i32 = 17;
/** Raw sockets: what is sent has its IP header. */
export const IPPROTO_RAW: i32 = 255;
export const INADDR_ANY: u32 = 0;
export const INADDR_LOOPBACK: u32 = 0x7f000001;
export const INADDR_BROADCAST: u32 = 0xffffffff;

export const F_GETFL: i32 = 3;
export const F_SETFL: i32 = 4;
export const O_NONBLOCK: i32 = 0x800;

/** send: urgent data. recv: refused, as urgent data is in the stream (SO_OOBINLINE is always on). */
export const MSG_OOB: i32 = 1;
export const MSG_PEEK: i32 = 2;
/** recvmsg: there was no room for all control data. */
export const MSG_CTRUNC: i32 = 8;
/** recv: the whole length of a datagram, also of one that was cut off. */
export const MSG_TRUNC: i32 = 0x20;
export const MSG_DONTWAIT: i32 = 0x40;
export const MSG_WAITALL: i32 = 0x100;
/** There are no signals; it changes nothing. */
export const MSG_NOSIGNAL: i32 = 0x4000;
/** More follows: a segment that is not full waits for it. */
export const MSG_MORE: i32 = 0x8000;
export const MSG_ZEROCOPY: i32 = 0x4000000;

export const SHUT_RD: i32 = 0;
export const SHUT_WR: i32 = 1;
export const SHUT_RDWR: i32 = 2;

export const POLLIN: u32 = 1;
/** Urgent data comes; of a listener: a finished handshake waits for a connection record to become free. */
export const POLLPRI: u32 = 2;
export const POLLOUT: u32 = 4;
export const POLLERR: u32 = 8;
export const POLLHUP: u32 = 16;
export const POLLNVAL: u32 = 32;
/** The peer has sent its FIN (Linux). */
export const POLLRDHUP: u32 = 0x2000;

export const SOL_SOCKET: i32 = 1;
export const SO_REUSEADDR: i32 = 2;
export const SO_TYPE: i32 = 3;
export const SO_ERROR: i32 = 4;
export const SO_BROADCAST: i32 = 6;
export const SO_SNDBUF: i32 = 7;
export const SO_RCVBUF: i32 = 8;
export const SO_KEEPALIVE: i32 = 9;
/** Always on (RFC 6093 6). */
export const SO_OOBINLINE: i32 = 10;
export const SO_LINGER: i32 = 13;
export const SO_REUSEPORT: i32 = 15;
/** The least that a recv() waits for, and that makes a socket readable. */
export const SO_RCVLOWAT: i32 = 18;
export const SO_RCVTIMEO: i32 = 20;
export const SO_SNDTIMEO: i32 = 21;
/** The interface that a socket uses alone. */
export const SO_BINDTODEVICE: i32 = 25;
export const SO_ACCEPTCONN: i32 = 30;
export const SO_PROTOCOL: i32 = 38;
export const SO_DOMAIN: i32 = 39;

export const TCP_NODELAY: i32 = 1;
/** Longest text of a segment, announced to the peer, too; to be set before the connection. */
export const TCP_MAXSEG: i32 = 2;
/** Segments that are not full wait for more, 200 ms or so at most (tcp(7)). */
export const TCP_CORK: i32 = 3;
export const TCP_KEEPIDLE: i32 = 4;
export const TCP_KEEPINTVL: i32 = 5;
export const TCP_KEEPCNT: i32 = 6;
/** A listener's connection is accepted when its first text is there, or after so many seconds without. */
export const TCP_DEFER_ACCEPT: i32 = 9;
/** Acknowledgments are sent at once, while it is set. */
export const TCP_QUICKACK: i32 = 12;
/** Name of the congestion control. */
export const TCP_CONGESTION: i32 = 13;
export const TCP_USER_TIMEOUT: i32 = 18;
export const IP_TOS: i32 = 1;
export const IP_TTL: i32 = 2;
/** recvmsg() tells the address that a datagram was sent to. */
export const IP_PKTINFO: i32 = 8;
/** Our interface, for groups: there is one. */
export const IP_MULTICAST_IF: i32 = 32;
export const IP_MULTICAST_TTL: i32 = 33;
export const IP_MULTICAST_LOOP: i32 = 34;
export const IP_ADD_MEMBERSHIP: i32 = 35;
export const IP_DROP_MEMBERSHIP: i32 = 36;
/** Raw sockets: the caller writes the IP header. */
export const IP_HDRINCL: i32 = 3;

/** Level of the options of raw sockets. */
export const SOL_RAW: i32 = 255;
/** Types of ICMP messages that are not wanted, one bit each. */
export const ICMP_FILTER: i32 = 1;
