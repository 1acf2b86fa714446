/* SPDX-License-Identifier: MIT */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

/**
 * The page has one Content-Security-Policy before all that it is about, which lets nothing through
 * but the page's own style and script, by their hashes, and pictures; and the page has nothing that
 * needs more. Returns the policy; free with free().
 */
char *assert_policy_holds(const char *page);

#endif
