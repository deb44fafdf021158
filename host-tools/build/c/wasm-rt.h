/*
 * What the C that wasm2c generates asks of its runtime, for integer code on identity-mapped memory: an address in the
 * program is an address of the machine, so there is no memory to allocate and nothing to add to an address.
 */
#ifndef WASM_RT_H
#define WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_MEMCHECK_GUARD_PAGES 1

/* A function that an image for a size has once (SHARED in host-tools/build/device/wasm2c.ts). */
#ifdef __OPTIMIZE_SIZE__
#define W2C_SHARED __attribute__((noinline))
#define W2C_INLINED
#else
#define W2C_SHARED
#define W2C_INLINED inline __attribute__((always_inline))
#endif

/* The numbers are what the log shows after a trap. */
typedef enum {
  WASM_RT_TRAP_NONE,
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
  WASM_RT_TRAP_UNALIGNED,
  WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

typedef enum {
  WASM_RT_I32,
  WASM_RT_I64,
  WASM_RT_F32,
  WASM_RT_F64,
  WASM_RT_V128,
  WASM_RT_FUNCREF,
  WASM_RT_EXTERNREF,
  WASM_RT_EXNREF,
} wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);
typedef const char* wasm_rt_func_type_t;

typedef struct wasm_rt_tailcallee_t {
  void (*fn)(void** instance_ptr, void* tail_call_stack, struct wasm_rt_tailcallee_t* next);
} wasm_rt_tailcallee_t;

typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void* module_instance;
} wasm_rt_funcref_t;

typedef void* wasm_rt_externref_t;

static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0};
static const wasm_rt_externref_t wasm_rt_externref_null_value = 0;

typedef struct {
  uint8_t* data;
  uint32_t page_size;
  uint64_t pages, max_pages, size;
  bool is64;
} wasm_rt_memory_t;

typedef struct {
  wasm_rt_funcref_t* data;
  uint32_t max_size, size;
} wasm_rt_funcref_table_t;

typedef struct {
  wasm_rt_externref_t* data;
  uint32_t max_size, size;
} wasm_rt_externref_table_t;

/* Ends the program: a programming error was found (a failed assertion, a division by zero). */
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t code);

static inline bool wasm_rt_is_initialized(void) {
  return true;
}

/* The static data is where the linker put it; start-up has cleared it. */
static inline void wasm_rt_allocate_memory(wasm_rt_memory_t* memory, uint64_t pages, uint64_t max,
                                           bool is64, uint32_t page_size) {
  (void)memory, (void)pages, (void)max, (void)is64, (void)page_size;
}

static inline void wasm_rt_free_memory(wasm_rt_memory_t* memory) {
  (void)memory;
}

#endif
