/* The program by itself, to be weighed: no start-up, and a frame device of which only the calls are there. */
#include <stddef.h>
#include <stdint.h>

#include "hw-inline.h"

#include "program.h"
