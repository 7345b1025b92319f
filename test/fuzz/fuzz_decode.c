/* fuzz_decode.c: any bytes at all as the kernel's answers: a row of messages of rtnetlink and nf_tables, as dumps bring them.
 *
 * Seeds are recorded from a real kernel (record.py). Held beyond "it does not crash": what was read can be printed, and a rule
 * equals itself. */
#include <linux/fib_rules.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h> /* before linux/in.h */
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "fuzz.h"
#include "live/decode.h"
#include "live/decode_nft.h"
#include "model/model.h"
#include "model/nft.h"
#include "show/show.h"

static void decode_nft(struct wr_nft_reading *reading, const struct nlmsghdr *message)
{
	struct wr_error error = {0};

	switch (message->nlmsg_type - (NFNL_SUBSYS_NFTABLES << 8)) {
	case NFT_MSG_NEWTABLE:
		/* By their number: a namespace with ten thousand tables tests the machine's patience. */
		if (reading->ns->n_tables < 64)
			wr_decode_nft_table(reading, message, &error);
		break;
	case NFT_MSG_NEWCHAIN:
		wr_decode_nft_chain(reading, message, &error);
		break;
	case NFT_MSG_NEWRULE:
		wr_decode_nft_rule(reading, message, &error);
		break;
	case NFT_MSG_NEWSET:
		wr_decode_nft_set(reading, message, &error);
		break;
	case NFT_MSG_NEWSETELEM:
		wr_decode_nft_elements(reading, message, &error);
		break;
	}
}

static void hold_tables(const struct wr_ns *ns)
{
	for (size_t i = 0; i < ns->n_tables; i++) {
		const struct wr_nft_table *table = ns->tables[i];

		for (size_t k = 0; k < table->n_chains; k++)
			for (size_t m = 0; m < table->chains[k].n_rules; m++)
				if (!wr_nft_rule_equal(&table->chains[k].rules[m], &table->chains[k].rules[m]))
					abort();
		for (size_t k = 0; k < table->n_sets; k++)
			for (size_t m = 0; m < table->sets[k].n_elements; m++)
				if (!wr_nft_element_equal(&table->sets[k], &table->sets[k].elements[m],
							  &table->sets[k].elements[m]))
					abort();
	}
}

static void decode(struct wr_reading *reading, struct wr_arena *arena, const struct nlmsghdr *message)
{
	struct wr_error error = {0};
	const char *alias;
	int32_t nsid;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		wr_decode_alias(message, arena, &alias, &error);
		wr_decode_link(reading, message, &error);
		break;
	case RTM_NEWADDR:
		wr_decode_address(reading, message, &error);
		break;
	case RTM_NEWROUTE:
		wr_decode_route(reading, message, &error);
		break;
	case RTM_NEWNEIGH:
		wr_decode_neighbour(reading, message, &error);
		break;
	case RTM_NEWRULE:
		wr_decode_rule(reading, message, &error);
		break;
	case RTM_NEWNETCONF:
		wr_decode_netconf(reading, message, &error);
		break;
	case RTM_NEWNSID:
		wr_decode_nsid(message, &nsid, &error);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_model *model = arena ? wr_model_new(arena, "shop") : NULL;
	struct wr_reading reading = {0};
	struct wr_nft_reading tables = {0};
	size_t place = 0;

	if (!model)
		return 0;
	model->live = true;
	wr_reading_begin(&reading, wr_model_host(model));
	tables.ns = wr_model_host(model);
	while (length - place >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head, *message;

		memcpy(&head, bytes + place, sizeof head);
		/* What the reader of sockets checks before a decoder sees it. */
		if (head.nlmsg_len < sizeof head || head.nlmsg_len > length - place)
			break;
		/* By itself on the heap at its exact size: one byte read beyond it is seen. */
		message = malloc(head.nlmsg_len);
		if (!message)
			break;
		memcpy(message, bytes + place, head.nlmsg_len);
		decode(&reading, arena, message);
		decode_nft(&tables, message);
		free(message);
		if (length - place <= NLMSG_ALIGN(head.nlmsg_len))
			break;
		place += NLMSG_ALIGN(head.nlmsg_len);
	}
	wr_reading_sort(&reading);
	wr_reading_join(&reading);
	hold_tables(tables.ns);
	wr_show_model_json(model, &text);
	return 0;
}
