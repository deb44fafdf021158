/* The program by itself, to be weighed: no start-up, and a frame device of which only the calls are there. */
#include <stddef.h>
#include <stdint.h>

#include "hw-inline.h"

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
