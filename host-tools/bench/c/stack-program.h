/* The stack as the replayed program: the functions of its frame device, and the C that wasm2c made of it. */
#ifndef STACK_PROGRAM_H
#define STACK_PROGRAM_H

struct w2c_hw;

HOOK uint32_t w2c_hw_rxBegin(struct w2c_hw* h) {
  (void)h;
  rx_at = 0;
  return rx_bytes;
}

HOOK void w2c_hw_rxRead(struct w2c_hw* h, uint32_t to, uint32_t bytes) {
  (void)h;
  if (rx_at + bytes > rx_bytes) replay_failed(1);
  bench_copy((uint8_t*)(uintptr_t)to, rx_frame + rx_at, bytes);
  rx_at += bytes;
}

HOOK void w2c_hw_rxSkip(struct w2c_hw* h, uint32_t bytes) {
  (void)h;
  rx_at += bytes;
}

HOOK void w2c_hw_rxEnd(struct w2c_hw* h) {
  (void)h;
  rx_bytes = 0;
}

HOOK uint32_t w2c_hw_txReady(struct w2c_hw* h) {
  (void)h;
  return 1;
}

HOOK uint32_t w2c_hw_txBegin(struct w2c_hw* h, uint32_t bytes) {
  (void)h;
  if (bytes > 1514) replay_failed(2);
  tx_bytes = bytes;
  tx_at = 0;
  return 1;
}

HOOK void w2c_hw_txWrite(struct w2c_hw* h, uint32_t from, uint32_t bytes) {
  (void)h;
  if (tx_at + bytes > tx_bytes) replay_failed(3);
  const uint8_t* at = (const uint8_t*)(uintptr_t)from;
  for (uint32_t i = 0; i < bytes; i++) tx_frame[tx_at++] = at[i];
}

HOOK void w2c_hw_txEnd(struct w2c_hw* h) {
  (void)h;
  if (tx_at != tx_bytes) replay_failed(4);
  replay_sent();
}

HOOK void w2c_hw_txCancel(struct w2c_hw* h) {
  (void)h;
}

#include "program.h"

/* By pointer, so that a turn stays a function that can be told from its caller. */
static void (*volatile turn)(w2c_app*, uint32_t) = w2c_app_turn;

HOOK static void program_start(uint32_t body) {
  wasm2c_app_instantiate(&w2c_app_only, 0);
  w2c_app_begin(&w2c_app_only, BEGIN_ARGUMENTS, body);
}

HOOK static void program_turn(uint32_t now) {
  turn(&w2c_app_only, now);
}

HOOK static void program_choose(uint32_t zero_copy, uint32_t closes) {
  w2c_app_choose(&w2c_app_only, zero_copy, closes);
}

#endif
