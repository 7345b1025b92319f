/* commands.h: pieces that the files of shell commands share.
 *
 * Errors:    sticky in the wr_text. */
#pragma once

#include <stdint.h>

struct wr_ns;
struct wr_text;

/* "ip " for the host, "ip -n shop.web " for a namespace. */
void wr_command_ip(struct wr_text *text, const struct wr_ns *ns);
/* Nothing for the host, "ip netns exec shop.web " for a namespace. */
void wr_command_inside(struct wr_text *text, const struct wr_ns *ns);
/* The line that sets a sysctl. assignment: "KEY=VALUE", one word. */
void wr_command_sysctl(struct wr_text *text, const struct wr_ns *ns, struct wr_text *assignment);
/* " OPTION VALUE", the value quoted where it must be. */
void wr_command_word(struct wr_text *text, const char *option, const char *value);
void wr_command_number(struct wr_text *text, const char *option, uint64_t value);
