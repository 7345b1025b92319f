/* fill.h: plain text of the command table as lines on a screen. */
#pragma once

#include <stddef.h>

#define WR_SCREEN_WIDTH 80

/* Prints text, filled to the screen's width, behind indent spaces; the first line begins at column. Paragraphs are divided by
 * a blank line; a line that begins with two spaces is kept as it is. */
void wr_cmd_fill(const char *text, size_t column, size_t indent);
