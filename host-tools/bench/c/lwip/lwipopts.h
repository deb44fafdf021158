/*
 * lwIP as it is counted: raw API without an operating system, no assertions and statistics; Ethernet, ARP, IPv4, ICMP, UDP,
 * TCP, DHCP and DNS linked; windows of four and send buffers of two segments. LWIP_ALIGNED and LWIP_CHKSUM_ALGORITHM are
 * what tunes it for a processor.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_RAW 0
#define LWIP_STATS 0
#define LWIP_NOASSERT 1
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_DHCP_DOES_ACD_CHECK 0

#ifdef __LP64__
#define MEM_ALIGNMENT 8
#else
#define MEM_ALIGNMENT 4
#endif
#ifdef LWIP_ALIGNED
#define ETH_PAD_SIZE 2
#endif

#define MEM_SIZE 4096
#define MEMP_NUM_PBUF 8
#define MEMP_NUM_TCP_SEG 16
#define MEMP_NUM_UDP_PCB 6
#define MEMP_NUM_TCP_PCB_LISTEN 4
#ifndef MEMP_NUM_TCP_PCB
#define MEMP_NUM_TCP_PCB 8
#endif
#define ARP_TABLE_SIZE 10

#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define PBUF_POOL_SIZE (TCP_WND / TCP_MSS + 2)
#ifdef ETH_PAD_SIZE
#define PBUF_POOL_BUFSIZE (1514 + ETH_PAD_SIZE)
#else
#define PBUF_POOL_BUFSIZE 1514
#endif

#endif
