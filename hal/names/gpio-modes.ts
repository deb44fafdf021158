/** Modes of a pin for `gpioMode`. */
export const GPIO_INPUT: u32 = 0;
export const GPIO_PULL_UP: u32 = 1;
export const GPIO_PULL_DOWN: u32 = 2;
export const GPIO_OUTPUT: u32 = 3;
