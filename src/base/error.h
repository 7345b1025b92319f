/* error.h: the library's error value; it is part of the public interface. */
#pragma once

#include "warren/error.h"
