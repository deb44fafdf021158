/* The compiler, as lwIP wants to know it. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x)

uint32_t bench_random(void);
#define LWIP_RAND() bench_random()

#ifdef LWIP_ALIGNED
/* With the padded Ethernet header every field lies on its boundary: no structure has to be packed. */
#define PACK_STRUCT_STRUCT
#endif

#endif
