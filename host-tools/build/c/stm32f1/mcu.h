/* STM32F103, medium density: what start-up needs to know (RM0008 10.1.2, 27.6). */
#ifndef MCU_H
#define MCU_H

#define STM32_USART1 0x40013800u

#include "stm32/semihost.h"
#include "stm32/usart.h"

#endif
