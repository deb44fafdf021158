/*
 * Loads and stores as plain dereferences. Included into the generated C behind wasm2c's own definitions and before the
 * first function: it replaces the accessors, which check bounds and add a base, by accesses of the address itself.
 *
 * The macro W2C_EAT swallows the `(u64)` in front of the generated address expression `(u64)(base) + offset`, which leaves
 * pointer arithmetic: the compiler then uses base-plus-offset addressing instead of making one literal per field. What stands behind it
 * becomes a call of w2c_at: written as a cast, the C front end would make it the sum of two integers, which gcc computes once, keeps and
 * spills, instead of using the offset in each access (1.5 % of the instructions, 1 % of the code on a Cortex-M0+).
 */
#define W2C_LD(T, a) (*(const T __attribute__((may_alias))*)(W2C_ADDRESS(a)))
#define W2C_ST(T, a, v) (*(T __attribute__((may_alias))*)(W2C_ADDRESS(a)) = (T)(v))
#if __SIZEOF_POINTER__ == 4
static inline __attribute__((always_inline)) uint8_t* w2c_at(u32 at) {
  return (uint8_t*)(uintptr_t)at;
}
#define W2C_EAT(cast) w2c_at
#define W2C_ADDRESS(a) W2C_EAT a
#else
#define W2C_ADDRESS(a) (uint8_t*)(uintptr_t)(a)
#endif

/*
 * A constant address of static data (host-tools/build/device/wasm2c.ts): in an image for a size a base that gcc cannot see through, which the
 * addresses of 64 bytes share, and an offset that fits into an access.
 */
#if defined(__OPTIMIZE_SIZE__) && __SIZEOF_POINTER__ == 4
static inline __attribute__((always_inline)) u32 w2c_base(u32 base) {
  __asm__("" : "+r"(base));
  return base;
}
#define W2C_NEAR(a) (w2c_base((a) & ~63u) + ((a) & 63u))
#else
#define W2C_NEAR(a) (a)
#endif

/*
 * The record of the program's variables, which nearly each function asks for. An image for a size has its address in r9: start-up puts it there
 * (startup.c), and the compiler leaves it alone (-ffixed-r9 in host-tools/build/device/link.ts). A copy of it is as long as the load of a
 * literal, without the literal: 1.2 % of the stack's code on a Cortex-M0+, 0.8 % of an image for a Cortex-M3. It hangs on nothing, so the
 * functions that read it are as pure as before.
 */
#if defined(__OPTIMIZE_SIZE__) && defined(__thumb__)
#define W2C_RECORD_REGISTER "r9"
#define W2C_RECORD(type, name) \
  static __attribute__((used)) type name; \
  static inline __attribute__((always_inline, const)) type* name##_at(void) { \
    type* at; \
    __asm("mov %0, " W2C_RECORD_REGISTER : "=l"(at)); \
    return at; \
  }
#define W2C_VARIABLES(name) (*name##_at())
#else
#define W2C_RECORD(type, name) static type name
#define W2C_VARIABLES(name) name
#endif

/* No Cortex-M needs more than word alignment for two words. */
typedef u64 __attribute__((aligned(4))) w2c_u64;

#define i32_load_default32(m, a) ((u32)W2C_LD(u32, a))
#define i32_load8_u_default32(m, a) ((u32)W2C_LD(u8, a))
#define i32_load8_s_default32(m, a) ((u32)(s32)W2C_LD(s8, a))
#define i32_load16_u_default32(m, a) ((u32)W2C_LD(u16, a))
#define i32_load16_s_default32(m, a) ((u32)(s32)W2C_LD(s16, a))
#define i64_load_default32(m, a) ((u64)W2C_LD(w2c_u64, a))
#define i64_load8_u_default32(m, a) ((u64)W2C_LD(u8, a))
#define i64_load8_s_default32(m, a) ((u64)(s64)W2C_LD(s8, a))
#define i64_load16_u_default32(m, a) ((u64)W2C_LD(u16, a))
#define i64_load16_s_default32(m, a) ((u64)(s64)W2C_LD(s16, a))
#define i64_load32_u_default32(m, a) ((u64)W2C_LD(u32, a))
#define i64_load32_s_default32(m, a) ((u64)(s64)W2C_LD(s32, a))
#define i32_store_default32(m, a, v) W2C_ST(u32, a, v)
#define i32_store8_default32(m, a, v) W2C_ST(u8, a, v)
#define i32_store16_default32(m, a, v) W2C_ST(u16, a, v)
#define i64_store_default32(m, a, v) W2C_ST(w2c_u64, a, v)
#define i64_store8_default32(m, a, v) W2C_ST(u8, a, v)
#define i64_store16_default32(m, a, v) W2C_ST(u16, a, v)
#define i64_store32_default32(m, a, v) W2C_ST(u32, a, v)

#define memory_copy(dm, sm, d, s, n) \
  memmove((void*)(uintptr_t)(u32)(d), (const void*)(uintptr_t)(u32)(s), (u32)(n))
#define memory_fill(m, d, v, n) memset((void*)(uintptr_t)(u32)(d), (int)(v), (u32)(n))

/*
 * A failed assertion branches to where it is told (startup.c), and the compiler knows of no call: for one it would keep the link register and
 * whatever else a call may change, in each function that asserts something. In the functions that find a record by its number that was
 * half of them.
 */
#ifdef __thumb__
#undef UNREACHABLE
#define UNREACHABLE \
  do { \
    __asm volatile("bl wasm_rt_unreachable"); \
    __builtin_unreachable(); \
  } while (0)
#endif

#undef LOAD_DATA
#define LOAD_DATA(m, o, i, s) __builtin_memcpy((void*)(uintptr_t)(o), i, s)
