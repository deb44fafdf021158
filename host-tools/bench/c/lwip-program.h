/*
 * lwIP as the replayed program: a frame device and the servers of firmware/bench on its raw API. lwIP itself comes from
 * Debian's source package and is no part of this repository.
 */
#ifndef LWIP_PROGRAM_H
#define LWIP_PROGRAM_H

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

enum { MESSAGE = 1460, ANSWER = 1024 };

static struct netif device;
static const uint8_t* constant;
static uint32_t now_ms, copies = 1, closes_first, random_state = 1;

HOOK u32_t sys_now(void) {
  return now_ms;
}

HOOK uint32_t bench_random(void) {
  return random_state = random_state * 1664525u + 1013904223u;
}

/* Gathers the chain of buffers into the frame that the replay looks at. */
HOOK static err_t device_send(struct netif* netif, struct pbuf* chain) {
  (void)netif;
  tx_bytes = 0;
  uint32_t skip = ETH_PAD_SIZE;
  for (const struct pbuf* at = chain; at; at = at->next) {
    const uint8_t* bytes = at->payload;
    for (uint32_t i = skip; i < at->len; i++) tx_frame[tx_bytes++] = bytes[i];
    skip = 0;
  }
  replay_sent();
  return ERR_OK;
}

static err_t device_init(struct netif* netif) {
  static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
  netif->name[0] = 'b';
  netif->name[1] = 'n';
  netif->mtu = 1500;
  netif->hwaddr_len = 6;
  for (int i = 0; i < 6; i++) netif->hwaddr[i] = mac[i];
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  netif->output = etharp_output;
  netif->linkoutput = device_send;
  return ERR_OK;
}

/* The driver's copy, which is counted apart. */
HOOK static void device_copy(uint8_t* to) {
  bench_copy(to, rx_frame, rx_bytes);
}

static void closing(struct tcp_pcb* pcb) {
  tcp_recv(pcb, 0);
  tcp_sent(pcb, 0);
  tcp_close(pcb);
}

static err_t discard(void* arg, struct tcp_pcb* pcb, struct pbuf* data, err_t error) {
  (void)arg;
  (void)error;
  if (!data) {
    closing(pcb);
    return ERR_OK;
  }
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

static err_t echo(void* arg, struct tcp_pcb* pcb, struct pbuf* data, err_t error) {
  (void)arg;
  (void)error;
  if (!data) {
    closing(pcb);
    return ERR_OK;
  }
  tcp_recved(pcb, data->tot_len);
  tcp_write(pcb, data->payload, data->len, TCP_WRITE_FLAG_COPY);
  pbuf_free(data);
  tcp_output(pcb);
  return ERR_OK;
}

static err_t answer(void* arg, struct tcp_pcb* pcb, struct pbuf* data, err_t error) {
  (void)arg;
  (void)error;
  if (!data) {
    closing(pcb);
    return ERR_OK;
  }
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  tcp_write(pcb, constant, ANSWER, 0);
  if (closes_first) closing(pcb);
  else tcp_output(pcb);
  return ERR_OK;
}

static err_t fill(void* arg, struct tcp_pcb* pcb, u16_t bytes) {
  (void)arg;
  (void)bytes;
  const u8_t flags = copies ? TCP_WRITE_FLAG_COPY : 0;
  if (tcp_write(pcb, constant, MESSAGE, flags) == ERR_OK) tcp_write(pcb, constant, MESSAGE, flags);
  return ERR_OK;
}

static err_t accepted(void* arg, struct tcp_pcb* pcb, err_t error) {
  (void)error;
  const u32_t port = (u32_t)(uintptr_t)arg;
  tcp_recv(pcb, port == 7 ? echo : port == 80 ? answer : discard);
  if (port == 7) tcp_nagle_disable(pcb);
  if (port != 19) return ERR_OK;
  tcp_sent(pcb, fill);
  fill(arg, pcb, 0);
  return tcp_output(pcb);
}

static void echo_datagram(void* arg, struct udp_pcb* pcb, struct pbuf* data, const ip_addr_t* from,
                          u16_t port) {
  (void)arg;
  udp_sendto(pcb, data, from, port);
  pbuf_free(data);
}

static void serve(u16_t port) {
  struct tcp_pcb* pcb = tcp_new();
  tcp_bind(pcb, IP_ADDR_ANY, port);
  pcb = tcp_listen(pcb);
  tcp_arg(pcb, (void*)(uintptr_t)port);
  tcp_accept(pcb, accepted);
}

HOOK static void program_start(uint32_t body) {
  ip4_addr_t address, mask, gateway;
  constant = (const uint8_t*)(uintptr_t)body;
  lwip_init();
  IP4_ADDR(&address, 10, 0, 0, 2);
  IP4_ADDR(&mask, 255, 255, 255, 0);
  IP4_ADDR(&gateway, 10, 0, 0, 1);
  netif_add(&device, &address, &mask, &gateway, 0, device_init, ethernet_input);
  netif_set_default(&device);
  netif_set_up(&device);
  serve(7);
  serve(9);
  serve(19);
  serve(80);
  struct udp_pcb* udp = udp_new();
  udp_bind(udp, IP_ADDR_ANY, 7);
  udp_recv(udp, echo_datagram, 0);
}

/* What is counted: from the moment that the driver holds a frame to the return of the stack's input. */
__attribute__((noinline, used)) static void lwip_turn(uint32_t bytes) {
  struct pbuf* frame = pbuf_alloc(PBUF_RAW, (u16_t)(bytes + ETH_PAD_SIZE), PBUF_POOL);
  if (!frame) return;
  device_copy((uint8_t*)frame->payload + ETH_PAD_SIZE);
  if (device.input(frame, &device) != ERR_OK) pbuf_free(frame);
}

HOOK static void program_turn(uint32_t now) {
  if (rx_bytes) lwip_turn(rx_bytes);
  rx_bytes = 0;
  if (now == now_ms) return;
  now_ms = now;
  sys_check_timeouts();
}

HOOK static void program_choose(uint32_t zero_copy, uint32_t closes) {
  copies = !zero_copy;
  closes_first = closes;
}

#endif
