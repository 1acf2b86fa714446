/* SPDX-License-Identifier: MIT */
/*
 * In builds with AddressSanitizer: what start.c loads has variables of each thread, and of those
 * AddressSanitizer (GCC 12) keeps a record that is wrong, on which the search for leaks crashes at
 * the end of the program. It finds them without.
 */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
