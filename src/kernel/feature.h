/* feature.h: what this kernel can do, asked without making anything.
 *
 * Why:       a kernel that lacks a kind of link is named with its option before anything is touched.
 * Errors:    -errno with the kernel's words; "it cannot" is an answer and no error.
 * Source:    net/core/rtnetlink.c: a request for a link is refused for an unknown kind before, and for an impossible number of
 *            queues after, its kind has been looked up (and its module loaded). */
#pragma once

#include <stdbool.h>

struct wr_error;
struct wr_nl;

/* Whether the kernel knows a kind of link ("veth", "bridge"), loading its module where there is one. */
int wr_feature_has_link_kind(struct wr_nl *nl, const char *kind, bool *ret, struct wr_error *reterr);
/* Whether this is a Linux before MAJOR.MINOR, for what cannot be asked. False when that cannot be told. */
bool wr_feature_kernel_is_before(int major, int minor);
