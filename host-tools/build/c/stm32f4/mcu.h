/* STM32F401: what start-up needs to know (RM0368 10.1.3, 19.6). */
#ifndef MCU_H
#define MCU_H

#define STM32_USART1 0x40011000u

#include "stm32/semihost.h"
#include "stm32/usart.h"

#endif
