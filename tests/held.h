/* SPDX-License-Identifier: MIT */
#ifndef ZF_TEST_HELD_H
#define ZF_TEST_HELD_H

/**
 * A group's set-up for cmocka: holds the program to the instruction set that the environment
 * variable ZF_TEST_CPU names, if any. Where the processor lacks it the program ends as skipped.
 */
int hold_processor(void **state);

#endif
