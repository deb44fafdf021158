/*
 * Replays a recording (host-tools/bench/instructions/trace.ts) on a program: the stack, or lwIP. Everything of this file and
 * of what includes it is HOOK code, which nobody counts; the frame device's copy of received bytes is COPY code, counted apart.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* Set by the including file: where HOOK and COPY functions go, what ends the run, and the number of a mark. */
HOOK static void replay_failed(uint32_t why);
HOOK static void replay_mark(uint32_t number);
/* At the end of the recording: true when more of it has been written there. */
HOOK static uint32_t replay_more(void);
/* The program has sent the frame in tx_frame. */
HOOK static void replay_sent(void);
HOOK static void replay_frame_out(const uint8_t* frame, uint32_t bytes);

enum { END, TURN, FRAME, CHOOSE, MARK, OUT };

static const uint8_t* rx_frame;
static uint32_t rx_bytes, rx_at, tx_bytes, tx_at, frames_out, digest;
static uint8_t tx_frame[1536] __attribute__((aligned(4)));

#ifdef LWIP
#include "lwip-program.h"
#else
#include "stack-program.h"
#endif

HOOK static void replay_sent(void) {
  for (uint32_t i = 0; i < tx_bytes; i++) digest = digest * 31 + tx_frame[i];
  frames_out++;
  replay_frame_out(tx_frame, tx_bytes);
}

/* Runs the whole recording; `body` are the constant bytes that the servers send. */
HOOK static void replay(const uint32_t* trace, uint32_t body) {
  program_start(body);
  for (;;) {
    const uint32_t op = *trace & 0xff, argument = *trace >> 8;
    trace++;
    switch (op) {
      case END:
        if (!replay_more()) return;
        trace--;
        break;
      case TURN:
        program_turn(argument);
        break;
      case FRAME:
        rx_frame = (const uint8_t*)trace + 2;
        rx_bytes = argument;
        trace += (2 + argument + 3) / 4;
        break;
      case CHOOSE:
        program_choose(argument & 0xff, argument >> 8);
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
