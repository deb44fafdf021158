/** POSIX constants with the values of Linux, for device code and for the host tools alike: plain numbers, which are i32 on a device. */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0x800;
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
/** Raw sockets: what is sent has its IP header. */
export const IPPROTO_RAW = 255;

export const F_GETFL = 3;
export const F_SETFL = 4;
export const O_NONBLOCK = 0x800;

/** send: urgent data. recv: refused, as urgent data is in the stream (SO_OOBINLINE is always on). */
export const MSG_OOB = 1;
export const MSG_PEEK = 2;
/** recvmsg: there was no room for all control data. */
export const MSG_CTRUNC = 8;
/** recv: the whole length of a datagram, also of one that was cut off. */
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
/** recvmsg: takes an error that IP_RECVERR has kept. */
export const MSG_ERRQUEUE = 0x2000;
/** There are no signals; it changes nothing. */
export const MSG_NOSIGNAL = 0x4000;
/** More follows: a segment that is not full waits for it. */
export const MSG_MORE = 0x8000;
export const MSG_ZEROCOPY = 0x4000000;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

export const POLLIN = 1;
/** Urgent data comes; of a listener: a finished handshake waits for a connection record to become free. */
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;
/** The peer has sent its FIN (Linux). */
export const POLLRDHUP = 0x2000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
/** Always on (RFC 6093 6). */
export const SO_OOBINLINE = 10;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
/** The least that a recv() waits for, and that makes a socket readable. */
export const SO_RCVLOWAT = 18;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
/** The interface that a socket uses alone. */
export const SO_BINDTODEVICE = 25;
export const SO_ACCEPTCONN = 30;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;

export const TCP_NODELAY = 1;
/** Longest text of a segment, announced to the peer, too; to be set before the connection. */
export const TCP_MAXSEG = 2;
/** Segments that are not full wait for more, 200 ms or so at most (tcp(7)). */
export const TCP_CORK = 3;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
/** A listener's connection is accepted when its first text is there, or after so many seconds without. */
export const TCP_DEFER_ACCEPT = 9;
/** Acknowledgments are sent at once, while it is set. */
export const TCP_QUICKACK = 12;
/** Name of the congestion control. */
export const TCP_CONGESTION = 13;
export const TCP_USER_TIMEOUT = 18;
export const IP_TOS = 1;
export const IP_TTL = 2;
/** Raw sockets: the caller writes the IP header. */
export const IP_HDRINCL = 3;
/** recvmsg() tells the address that a datagram was sent to. */
export const IP_PKTINFO = 8;
/** What ICMP tells of a socket's datagrams is kept for it. */
export const IP_RECVERR = 11;
/** Our interface, for groups: one of ours, which changes nothing, as they are joined on all. */
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;

/** Level of the options of raw sockets. */
export const SOL_RAW = 255;
/** Types of ICMP messages that are not wanted, one bit each. */
export const ICMP_FILTER = 1;
