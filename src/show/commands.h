/* commands.h: pieces that the two files of shell commands share.
 *
 * Errors:    sticky in the wr_text. */
#pragma once

#include <stdint.h>

struct wr_ns;
struct wr_text;

/* "ip " for the host, "ip -n shop.web " for a namespace. */
void wr_command_ip(struct wr_text *text, const struct wr_ns *ns);
/* " OPTION VALUE", the value quoted where it must be. */
void wr_command_word(struct wr_text *text, const char *option, const char *value);
void wr_command_number(struct wr_text *text, const char *option, uint64_t value);
