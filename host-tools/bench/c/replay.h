/*
 * Replays a recording (host-tools/bench/instructions/trace.ts) on the stack. Everything of this file and of the program
 * that includes it is HOOK code, which nobody counts; the frame device's copy of received bytes is COPY code, counted apart.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* Set by the including program: where HOOK and COPY functions go, what ends the run, and the number of a mark. */
HOOK static void replay_failed(uint32_t why);
HOOK static void replay_mark(uint32_t number);

enum { END, TURN, FRAME, CHOOSE, MARK, OUT };

static const uint8_t* rx_frame;
static uint32_t rx_bytes, rx_at, tx_bytes, tx_at, frames_out, digest;
static uint8_t tx_frame[1536] __attribute__((aligned(4)));

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
  for (uint32_t i = 0; i < tx_bytes; i++) digest = digest * 31 + tx_frame[i];
  frames_out++;
}

HOOK void w2c_hw_txCancel(struct w2c_hw* h) {
  (void)h;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Warray-bounds"
#include "app.c"
#pragma GCC diagnostic pop

/* By pointer, so that a turn stays a function that can be told from its caller. */
static void (*volatile turn)(w2c_app*, uint32_t) = w2c_app_turn;

/* Runs the whole recording; `body` are the constant bytes that the servers send. */
HOOK static void replay(const uint32_t* trace, uint32_t body) {
  wasm2c_app_instantiate(&w2c_app_only, 0);
  w2c_app_begin(&w2c_app_only, BEGIN_ARGUMENTS, body);
  for (;;) {
    const uint32_t op = *trace & 0xff, argument = *trace >> 8;
    trace++;
    switch (op) {
      case END:
        return;
      case TURN:
        turn(&w2c_app_only, argument);
        break;
      case FRAME:
        rx_frame = (const uint8_t*)trace + 2;
        rx_bytes = argument;
        trace += (2 + argument + 3) / 4;
        break;
      case CHOOSE:
        w2c_app_choose(&w2c_app_only, argument & 0xff, argument >> 8);
        break;
      case MARK:
        replay_mark(argument);
        break;
      case OUT:
        if ((frames_out & 0xffffff) != argument) replay_failed(5);
        if (digest != *trace++) replay_failed(6);
        break;
      default:
        replay_failed(7);
    }
  }
}

#endif
