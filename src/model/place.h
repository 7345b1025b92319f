/* place.h: where in the file something was said. */
#pragma once

#include <stdint.h>

/* line 0: nowhere (a live model, a default). Both count from 1. */
struct wr_place {
	uint32_t line;
	uint32_t column;
};
