/* fuzz_text.c: the small parsers: addresses, prefixes, MACs, marks, names, keys of settings, words for a shell.
 *
 * Held: what is accepted is printed and accepted again as the same value; what is escaped has no control byte left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/text.h"
#include "fuzz.h"
#include "model/conf.h"
#include "model/model.h"
#include "model/name.h"

static void hold(int condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "not held: %s\n", what);
		abort();
	}
}

static void addresses(const char *text)
{
	char buffer[WR_PREFIX_TEXT_MAX], ip_buffer[WR_IP_TEXT_MAX], mac_buffer[WR_MAC_TEXT_MAX];
	struct wr_prefix prefix = {0}, prefix_again = {0};
	struct wr_mac mac = {0}, mac_again = {0};
	struct wr_ip ip = {0}, ip_again = {0};

	if (wr_ip_parse(text, &ip) == 0) {
		hold(wr_ip_parse(wr_ip_format(&ip, ip_buffer), &ip_again) == 0, "a printed address is accepted");
		hold(wr_ip_equal(&ip, &ip_again), "and is the same");
		wr_ip_add(&ip, UINT64_MAX, &ip_again);
	}
	if (wr_prefix_parse(text, &prefix, NULL) == 0) {
		struct wr_ip network = wr_prefix_network(&prefix), last = wr_prefix_last(&prefix);

		hold(wr_prefix_parse(wr_prefix_format(&prefix, buffer), &prefix_again, NULL) == 0,
		     "a printed prefix is accepted");
		hold(wr_prefix_equal(&prefix, &prefix_again), "and is the same");
		hold(wr_prefix_contains(&prefix, &network) && wr_prefix_contains(&prefix, &last),
		     "a prefix contains its ends");
		hold(wr_prefix_overlaps(&prefix, &prefix_again), "a prefix overlaps itself");
		hold(wr_prefix_capacity(&prefix) > 0, "a prefix has room");
	}
	if (wr_mac_parse(text, &mac) == 0) {
		hold(wr_mac_parse(wr_mac_format(&mac, mac_buffer), &mac_again) == 0, "a printed MAC is accepted");
		hold(memcmp(&mac, &mac_again, sizeof mac) == 0, "and is the same");
	}
}

static void names(const char *text)
{
	char network[64], a[64], b[64], mark[WR_MARK_MAX], altname[128], link[16], scope[16], key[80];
	int id = wr_conf_parse_key(text, scope);

	if (wr_name_read_mark(text, network, a, b)) {
		wr_name_mark(network, a, *b ? b : NULL, mark);
		hold(strcmp(mark, text) == 0, "a mark that is read is written the same");
		hold(wr_name_is_mark_of(text, network), "and is one of its network");
	}
	if (wr_name_is_valid(text)) {
		wr_name_host_link(text, "prefix-", text, text, link);
		hold(wr_ifname_is_valid(link), "a made interface name is valid");
		wr_name_altname(text, text, text, altname);
		hold(strlen(altname) <= WR_ALTNAME_MAX, "an altname fits");
	}
	if (id >= 0)
		wr_conf_key((enum wr_conf_id)id, scope, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	WR_CLEANUP_TEXT struct wr_text escaped = {0}, shell = {0};
	char *text = malloc(length + 1);

	if (!text)
		return 0;
	memcpy(text, bytes, length);
	text[length] = 0;
	addresses(text);
	names(text);
	wr_sysctl_value_equal(text, "1 2");
	wr_text_nearest(text, (const char *const[]){"address", "interfaces", "bridge", NULL});
	wr_text_add_escaped(&escaped, text);
	for (size_t i = 0; i < escaped.length; i++)
		hold((unsigned char)escaped.bytes[i] >= 0x20 && escaped.bytes[i] != 0x7f, "no control byte is left");
	wr_text_add_shell(&shell, text);
	hold(strlen(text) == 0 || shell.length >= strlen(text), "a word for the shell holds all of it");
	free(text);
	return 0;
}
