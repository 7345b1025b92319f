/* pins.h: what netns.c and pins.c share: the path of a pin. */
#pragma once

#include <limits.h>

struct wr_error;
struct wr_host;

#define WR_PIN_PATH_MAX PATH_MAX

/* "/run/netns/PIN". -EINVAL for a pin that is no plain file name. */
int wr_pin_path(const struct wr_host *host, const char *pin, char ret[WR_PIN_PATH_MAX], struct wr_error *reterr);
