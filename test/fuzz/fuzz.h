/* fuzz.h: what every fuzz target offers: libFuzzer's own entry point, also called by driver.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
