/* Tests of the compiler in src/filter: which tables, sets, elements and rules a file becomes. */
#include "netfile.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "filter/filter.h"
#include "model/model.h"
#include "model/nft.h"

static int setup(void **state)
{
	*state = wr_arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(*state);
	return 0;
}

static struct wr_model *want(struct wr_arena *arena, const char *text)
{
	struct wr_text messages WR_CLEANUP_TEXT = {0};
	struct wr_model *model = read_file(arena, text, strlen(text), NULL, &messages);

	if (!model)
		fail_msg("%s", wr_text_string(&messages));
	assert_int_equal(wr_filter_want(model), 0);
	return model;
}

static struct wr_nft_table *table_of(struct wr_model *model, const char *ns, uint8_t family)
{
	return wr_ns_find_table(wr_model_find_ns(model, ns), family, "warren-net");
}

static size_t count(const struct wr_nft_table *table, const char *set)
{
	const struct wr_nft_set *found = wr_nft_find_set(table, set);

	return found ? found->n_elements : 0;
}

/* The element's key as text: names as they are, other bytes as hex, words apart. */
static void assert_element(const struct wr_nft_table *table, const char *name, const void *key, size_t length,
			   const void *data, size_t data_length)
{
	const struct wr_nft_set *set = wr_nft_find_set(table, name);

	assert_non_null(set);
	assert_int_equal(set->key_length, length);
	if (data)
		assert_int_equal(set->data_length, data_length);
	for (size_t i = 0; i < set->n_elements; i++)
		if (!memcmp(set->elements[i].key, key, length) &&
		    (!data || !memcmp(set->elements[i].data, data, data_length)))
			return;
	fail_msg("%s has no such element", name);
}

static size_t count_comment(const struct wr_nft_table *table, const char *chain, const char *comment)
{
	const struct wr_nft_chain *found = wr_nft_find_chain(table, chain);
	size_t n = 0;

	assert_non_null(found);
	for (size_t i = 0; i < found->n_rules; i++)
		n += found->rules[i].comment && !strcmp(found->rules[i].comment, comment);
	return n;
}

static size_t n_rules(const struct wr_nft_table *table, const char *chain)
{
	const struct wr_nft_chain *found = wr_nft_find_chain(table, chain);

	return found ? found->n_rules : 0;
}

/* --- the host ------------------------------------------------------------------------------------------------------- */

static void test_nothing(void **state)
{
	struct wr_model *model =
		want(*state, "{name: net, bridges: {lan: {}}, namespaces: {a: {interfaces: {e: lan}}}}");

	for (size_t i = 0; i < model->n_ns; i++)
		assert_int_equal(model->ns[i]->n_tables, 0);
}

static void test_host_alone(void **state)
{
	struct wr_model *model =
		want(*state, "name: net\n"
			     "bridges: {lan: {subnet: 10.2.0.0/24, host: true}}\n"
			     "namespaces: {web: {interfaces: {eth0: lan}}}\n"
			     "links: [{ends: [host:cab, web:c0], addresses: [10.9.0.1/30, 10.9.0.2/30]}]\n");
	struct wr_nft_table *table = table_of(model, "host", NFPROTO_INET);
	const struct wr_nft_chain *forward = wr_nft_find_chain(table, "forward");

	assert_string_equal(table->comment, "warren:net");
	assert_true(table->ours);
	/* A bridge and the end of a cable, not a port. */
	assert_int_equal(count(table, "own"), 2);
	assert_element(table, "own", "net-lan\0\0\0\0\0\0\0\0", 16, NULL, 0);
	assert_element(table, "own", "cab\0\0\0\0\0\0\0\0\0\0\0\0", 16, NULL, 0);
	assert_int_equal(table->n_chains, 2);
	assert_int_equal(n_rules(table, "raw"), 3);
	assert_int_equal(forward->hook, NF_INET_FORWARD);
	assert_int_equal(forward->policy, NF_ACCEPT);
	/* Not to own; apart, within, two isolated, own to own; answers, another network, routed, the rest: also what nothing is in
	 * yet, so that no edit changes a rule. */
	assert_int_equal(forward->n_rules, 10);
	assert_int_equal(count_comment(table, "forward", "another network"), 1);
	assert_int_equal(count_comment(table, "forward", "from outside"), 1);
	assert_true(wr_nft_find_set(table, "before")->kept_apart);
	assert_int_equal(table->n_sets, 7);
	assert_int_equal(count(table, "isolated") + count(table, "within") + count(table, "apart"), 0);
	assert_int_equal(count(table, "routed") + count(table, "ports"), 0);
}

static void test_isolation(void **state)
{
	struct wr_model *model = want(*state, "name: net\n"
					      "bridges:\n"
					      "  lan: {subnet: 10.2.0.0/24, host: true}\n"
					      "  alone: {subnet: 10.3.0.0/24, host: true, isolated: true}\n"
					      "  open: {subnet: 10.4.0.0/24, host: true, routed: true}\n"
					      "namespaces:\n"
					      "  a: {interfaces: {eth0: {bridge: lan, isolated: true}}}\n"
					      "  b: {interfaces: {eth0: lan, eth1: alone}}\n");
	struct wr_nft_table *table = table_of(model, "host", NFPROTO_INET);
	const struct wr_ns *host = wr_model_host(model);

	assert_int_equal(count(table, "isolated"), 1);
	assert_element(table, "isolated", "net-alone\0\0\0\0\0\0", 16, NULL, 0);
	assert_element(table, "within", "net-alone\0\0\0\0\0\0\0net-alone\0\0\0\0\0\0", 32, NULL, 0);
	assert_element(table, "routed", "net-open\0\0\0\0\0\0\0", 16, NULL, 0);
	/* The bridge's own address and those of its two ports: each of them makes the host route a frame. */
	assert_int_equal(count(table, "apart"), 3);
	for (size_t i = 0; i < host->n_links; i++) {
		uint8_t key[40] = "net-lan";

		if (strcmp(host->links[i]->ifname, "net-lan") &&
		    (!host->links[i]->master || strcmp(host->links[i]->master->ifname, "net-lan")))
			continue;
		memcpy(key + 16, "net-lan", 7);
		memcpy(key + 32, host->links[i]->mac.bytes, 6);
		assert_element(table, "apart", key, sizeof key, NULL, 0);
	}
	assert_int_equal(count_comment(table, "forward", "isolated port"), 1);
	assert_int_equal(count_comment(table, "forward", "isolated"), 2);
	assert_int_equal(n_rules(table, "forward"), 10);
}

/* --- published ports -------------------------------------------------------------------------------------------------- */

#define PUBLISHING                                                                                                     \
	"name: net\n"                                                                                                  \
	"bridges: {lan: {subnet: [10.2.0.0/24, 'fd00:2::/64'], host: true}, m: {subnet: 10.3.0.0/24, host: true}}\n"   \
	"namespaces:\n"                                                                                                \
	"  web:\n"                                                                                                     \
	"    interfaces: {eth0: lan, eth1: m}\n"                                                                       \
	"    publish: ["

static void test_publish(void **state)
{
	struct wr_model *model =
		want(*state, PUBLISHING "'8080:80', '127.0.0.1:5353:53/udp', '8081:81@eth0', '[::1]:9090:90']\n");
	struct wr_nft_table *table = table_of(model, "host", NFPROTO_INET);
	const uint8_t plain[] = {6, 0, 0, 0, 8080 >> 8, 8080 & 255, 0, 0}, to[] = {10, 2, 0, 2, 0, 80, 0, 0};
	const uint8_t at[] = {17, 0, 0, 0, 127, 0, 0, 1, 5353 >> 8, 5353 & 255, 0, 0};
	const uint8_t to_at[] = {10, 2, 0, 2, 0, 53, 0, 0};
	const uint8_t in[] = {'e', 't', 'h', '0', [16] = 6, [20] = 8081 >> 8, 8081 & 255, 0, 0};

	assert_element(table, "publish4", plain, sizeof plain, to, sizeof to);
	assert_element(table, "publish4-at", at, sizeof at, to_at, sizeof to_at);
	assert_element(table, "publish4-in", in, sizeof in, NULL, 0);
	assert_int_equal(count(table, "publish6"), 1);
	assert_int_equal(count(table, "publish6-at"), 1);
	assert_int_equal(count(table, "publish6-in"), 1);
	/* Of 127.0.0.1 and ::1 only the families that they are. */
	assert_int_equal(count(table, "publish4-at"), 1);
	/* The head, two loopbacks, six maps; without interfaces and loopbacks four. */
	assert_int_equal(n_rules(table, "dstnat"), 2 + 2 + 6);
	assert_int_equal(n_rules(table, "output"), 2 + 4);
	/* Its own segment, and the other one where it answers without the host. */
	assert_int_equal(count(table, "hairpin"), 2);
	assert_element(table, "hairpin", "net-lan\0\0\0\0\0\0\0\0\0net-lan\0\0\0\0\0\0\0\0", 32, NULL, 0);
	assert_element(table, "hairpin", "net-m\0\0\0\0\0\0\0\0\0\0\0net-lan\0\0\0\0\0\0\0\0", 32, NULL, 0);
	assert_int_equal(n_rules(table, "raw"), 3);
}

static void test_publish_more(void **state)
{
	struct wr_nft_table *one = table_of(want(*state, PUBLISHING "'8080:80']\n"), "host", NFPROTO_INET);
	struct wr_nft_table *two = table_of(want(*state, PUBLISHING "'8080:80', '8081:80']\n"), "host", NFPROTO_INET);

	assert_int_equal(one->n_sets, two->n_sets);
	assert_int_equal(one->n_chains, two->n_chains);
	for (size_t i = 0; i < one->n_chains; i++) {
		assert_int_equal(one->chains[i].n_rules, two->chains[i].n_rules);
		for (size_t k = 0; k < one->chains[i].n_rules; k++)
			assert_true(wr_nft_rule_equal(&one->chains[i].rules[k], &two->chains[i].rules[k]));
	}
	for (size_t i = 0; i < one->n_sets; i++) {
		bool varies = !strncmp(one->sets[i].name, "publish", 7);

		assert_int_equal(one->sets[i].n_elements + varies, two->sets[i].n_elements);
	}
}

static void test_at_one_address(void **state)
{
	struct wr_nft_table *table = table_of(want(*state, PUBLISHING "'192.0.2.1:8080:80']\n"), "host", NFPROTO_INET);

	assert_int_equal(count(table, "publish4-at"), 1);
	assert_null(wr_nft_find_set(table, "publish6-at"));
}

static void test_read_publish(void **state)
{
	struct wr_model *model =
		want(*state, PUBLISHING "'8080:80', '127.0.0.1:5353:53/udp', '8081:81@eth0', '[::1]:9090:90']\n");
	struct wr_nft_table *table = table_of(model, "host", NFPROTO_INET);
	const struct wr_ns *web = wr_model_find_ns(model, "web");
	size_t found = 0;

	for (size_t i = 0; i < table->n_sets; i++) {
		const struct wr_nft_set *set = &table->sets[i];
		struct wr_publish publish;
		char in[16];

		for (size_t k = 0; k < set->n_elements; k++) {
			bool any = false;

			if (!wr_filter_read_publish(set, &set->elements[k], &publish, in))
				continue;
			found++;
			for (size_t n = 0; n < web->n_publishes; n++) {
				const struct wr_publish *like = &web->publishes[n];
				int family = publish.to[1].family != 0;

				any |= like->protocol == publish.protocol && like->host_port == publish.host_port &&
				       like->port == publish.port && wr_ip_equal(&like->host, &publish.host) &&
				       !like->in == !publish.in && (!like->in || !strcmp(like->in, publish.in)) &&
				       wr_ip_equal(&like->to[family], &publish.to[family]);
			}
			assert_true(any);
		}
	}
	assert_int_equal(found, 6);
}

static struct wr_publish publish_of(const char *host, const char *in, uint16_t port, uint8_t protocol)
{
	struct wr_publish publish = {.in = in, .host_port = port, .protocol = protocol};

	if (host)
		wr_ip_parse(host, &publish.host);
	return publish;
}

static void test_collides(void **state)
{
	static const struct {
		const char *a, *a_in, *b, *b_in;
		bool collides;
	} rows[] = {
		{NULL, NULL, NULL, NULL, true},
		{NULL, NULL, "192.0.2.1", NULL, true},
		{"192.0.2.1", NULL, "192.0.2.1", NULL, true},
		{"192.0.2.1", NULL, "192.0.2.2", NULL, false},
		{"192.0.2.1", NULL, "::1", NULL, false},
		{"0.0.0.0", NULL, "192.0.2.1", NULL, true},
		{"0.0.0.0", NULL, "::1", NULL, false},
		{"::", NULL, "0.0.0.0", NULL, false},
		{"::", NULL, NULL, NULL, true},
		{NULL, "eth0", NULL, "eth1", false},
		{NULL, "eth0", NULL, "eth0", true},
		{NULL, "eth0", NULL, NULL, true},
		{NULL, "eth0", "127.0.0.1", NULL, false},
		{NULL, "eth0", "192.0.2.1", NULL, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_publish a = publish_of(rows[i].a, rows[i].a_in, 80, IPPROTO_TCP);
		struct wr_publish b = publish_of(rows[i].b, rows[i].b_in, 80, IPPROTO_TCP);

		if (wr_publish_collides(&a, &b) != rows[i].collides || wr_publish_collides(&b, &a) != rows[i].collides)
			fail_msg("row %zu", i);
		b.protocol = IPPROTO_UDP;
		assert_false(wr_publish_collides(&a, &b));
		b.protocol = IPPROTO_TCP;
		b.host_port = 81;
		assert_false(wr_publish_collides(&a, &b));
	}
}

/* A port that only has IPv4 behind it leaves the other family to others. */
static void test_collides_by_family(void **state)
{
	struct wr_publish a = publish_of(NULL, NULL, 80, IPPROTO_TCP), b = publish_of("::1", NULL, 80, IPPROTO_TCP);

	wr_ip_parse("10.2.0.2", &a.to[0]);
	assert_false(wr_publish_collides(&a, &b));
	wr_ip_parse("fd00::2", &a.to[1]);
	assert_true(wr_publish_collides(&a, &b));
}

/* --- translation -------------------------------------------------------------------------------------------------------- */

static void test_nat(void **state)
{
	struct wr_model *model =
		want(*state, "name: net\n"
			     "bridges:\n"
			     "  a: {subnet: [10.2.0.0/24, 'fd00:2::/64'], host: true, nat: true}\n"
			     "  b: {subnet: 10.3.0.0/24, host: true, nat: {out: eth0}}\n"
			     "  c: {subnet: [10.4.0.0/24, 'fd00:4::/64'], host: true, nat: {address: 192.0.2.9}}\n"
			     "  d: {subnet: 'fd00:5::/64', host: true, nat: {out: eth0, address: '2001:db8::9'}}\n");
	struct wr_nft_table *table = table_of(model, "host", NFPROTO_INET);
	const uint8_t address[] = {192, 0, 2, 9};

	assert_int_equal(count(table, "nat4"), 1);
	/* The address of one family leaves the other as it is with `nat: true`. */
	assert_int_equal(count(table, "nat6"), 2);
	assert_element(table, "nat4-out", "net-b\0\0\0\0\0\0\0\0\0\0\0eth0\0\0\0\0\0\0\0\0\0\0\0", 32, NULL, 0);
	assert_element(table, "snat4", "net-c\0\0\0\0\0\0\0\0\0\0", 16, address, 4);
	assert_int_equal(count(table, "snat6-out"), 1);
	assert_null(wr_nft_find_set(table, "nat6-out"));
	assert_null(wr_nft_find_set(table, "snat6"));
	assert_int_equal(n_rules(table, "srcnat"), 5);
	assert_null(wr_nft_find_chain(table, "dstnat"));
}

static void test_nat_of_namespace(void **state)
{
	struct wr_model *model = want(*state, "name: net\n"
					      "bridges: {lan: {subnet: [10.2.0.0/24, 'fd00:2::/64']}}\n"
					      "namespaces:\n"
					      "  edge: {forward: true, interfaces: {eth0: lan}, nat: {out: eth0}}\n"
					      "  far: {forward: true, interfaces: {eth0: lan}, nat: {out: eth0, "
					      "address: 10.2.0.77}}\n");
	struct wr_nft_table *edge = table_of(model, "edge", NFPROTO_INET);
	struct wr_nft_table *far = table_of(model, "far", NFPROTO_INET);

	assert_null(table_of(model, "host", NFPROTO_INET));
	assert_int_equal(count(edge, "nat4") + count(edge, "nat6"), 2);
	assert_int_equal(n_rules(edge, "srcnat"), 2);
	assert_int_equal(edge->n_chains, 1);
	assert_int_equal(count(far, "snat4") + count(far, "nat6"), 2);
}

/* --- firewalls ------------------------------------------------------------------------------------------------------------ */

static void test_firewall(void **state)
{
	struct wr_model *model = want(*state, "name: net\n"
					      "bridges: {lan: {subnet: [10.2.0.0/24, 'fd00:2::/64']}}\n"
					      "namespaces:\n"
					      "  web:\n"
					      "    interfaces: {eth0: lan}\n"
					      "    firewall:\n"
					      "      input: {policy: drop, deny: [any from 10.2.0.9], accept: [tcp 80 "
					      "8000-8100, icmp, udp from app]}\n"
					      "      output: {policy: accept, accept: [tcp 1-65535]}\n"
					      "  app: {interfaces: {eth0: lan}}\n");
	struct wr_nft_table *table = table_of(model, "web", NFPROTO_INET);
	const struct wr_nft_chain *input = wr_nft_find_chain(table, "input");
	const struct wr_nft_set *ports = wr_nft_find_set(table, "input-2-ports");

	assert_int_equal(input->policy, NF_DROP);
	assert_int_equal(wr_nft_find_chain(table, "output")->policy, NF_ACCEPT);
	assert_null(wr_nft_find_chain(table, "forward"));
	assert_null(table_of(model, "app", NFPROTO_INET));
	assert_int_equal(count_comment(table, "input", "deny any from 10.2.0.9"), 1);
	assert_int_equal(count_comment(table, "input", "accept tcp 80 8000-8100"), 1);
	/* Both families. */
	assert_int_equal(count_comment(table, "input", "accept icmp"), 2);
	assert_int_equal(count_comment(table, "input", "accept udp from app"), 2);
	assert_int_equal(count_comment(table, "input", "invalid"), 1);
	assert_int_equal(count_comment(table, "output", "invalid"), 0);
	assert_string_equal(input->rules[input->n_rules - 1].comment, "policy");
	assert_string_equal(input->rules[4].comment, "deny any from 10.2.0.9");
	assert_int_equal(count(table, "input-4-from4") + count(table, "input-4-from6"), 2);
	/* Beginnings and ends. */
	assert_true(ports->flags & NFT_SET_INTERVAL);
	assert_int_equal(ports->n_elements, 4);
	assert_false(ports->elements[0].interval_end);
	assert_true(ports->elements[1].interval_end);
	/* Without an end, where there is nothing behind it. */
	assert_int_equal(count(table, "output-1-ports"), 1);
	assert_int_equal(wr_nft_find_set(table, "input-1-from4")->flags, 0);
	assert_null(wr_nft_find_set(table, "denied4"));
}

/* Two halves are one interval: the kernel takes no two that touch in the order that they may change in. */
static void test_touching_prefixes(void **state)
{
	struct wr_model *model = want(*state, "name: net\n"
					      "namespaces:\n"
					      "  web: {firewall: {input: {policy: drop, accept: [any from "
					      "10.0.0.128/25 10.0.1.0/24 10.0.4.0/24 0.0.0.0]}}}\n");
	const struct wr_nft_set *set = wr_nft_find_set(table_of(model, "web", NFPROTO_INET), "input-1-from4");
	static const uint8_t expected[][4] = {{0, 0, 0, 0},  {0, 0, 0, 1},  {10, 0, 0, 128},
					      {10, 0, 2, 0}, {10, 0, 4, 0}, {10, 0, 5, 0}};

	assert_int_equal(set->n_elements, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_memory_equal(set->elements[i].key, expected[i], 4);
		assert_int_equal(set->elements[i].interval_end, i % 2);
	}
}

static void test_log(void **state)
{
	struct wr_model *model =
		want(*state,
		     "name: net\n"
		     "namespaces:\n"
		     "  web: {firewall: {input: {policy: drop, log: true, deny: [tcp 23]}, output: {deny: [udp]}}}\n");
	struct wr_nft_table *table = table_of(model, "web", NFPROTO_INET);
	const struct wr_nft_set *denied = wr_nft_find_set(table, "denied6");
	const struct wr_nft_chain *input = wr_nft_find_chain(table, "input");
	size_t jumps = 0;

	assert_true(denied->kept_apart);
	assert_int_equal(denied->key_length, 44);
	assert_int_equal(denied->flags, NFT_SET_EVAL | NFT_SET_TIMEOUT);
	assert_int_equal(n_rules(table, "denied-input"), 5);
	assert_null(wr_nft_find_chain(table, "denied-output"));
	for (size_t i = 0; i < input->n_rules; i++) {
		const struct wr_nft_expr *last = &input->rules[i].exprs[input->rules[i].n_exprs - 1];

		jumps += last->kind == WR_NFT_immediate && last->immediate.verdict == NFT_GOTO;
	}
	/* What is invalid, the phrase, the policy. */
	assert_int_equal(jumps, 3);
}

/* A comment has 128 bytes; the addresses are in the set. */
static void test_long_phrase(void **state)
{
	struct wr_text text WR_CLEANUP_TEXT = {0};
	struct wr_nft_table *table;

	wr_text_add(&text, "name: net\nnamespaces: {web: {firewall: {input: {policy: drop, accept: [any from");
	for (unsigned i = 1; i < 200; i++)
		wr_text_addf(&text, " 10.0.0.%u", i);
	wr_text_add(&text, "]}}}}\n");
	table = table_of(want(*state, wr_text_string(&text)), "web", NFPROTO_INET);
	assert_int_equal(count(table, "input-1-from4"), 199);
	for (size_t i = 0; i < n_rules(table, "input"); i++) {
		const char *comment = wr_nft_find_chain(table, "input")->rules[i].comment;

		assert_true(!comment || strlen(comment) < 128);
		if (comment && !strncmp(comment, "accept", 6))
			assert_string_equal(comment + strlen(comment) - 4, " ...");
	}
}

/* --- guards ----------------------------------------------------------------------------------------------------------------- */

static void test_guard(void **state)
{
	struct wr_model *model =
		want(*state,
		     "name: net\n"
		     "bridges:\n"
		     "  lan: {subnet: [10.2.0.0/24, 'fd00:2::/64'], host: true, guard: true}\n"
		     "  priv: {guard: true}\n"
		     "  free: {subnet: 10.5.0.0/24}\n"
		     "namespaces:\n"
		     "  a: {interfaces: {eth0: {bridge: lan, address: [10.2.0.8/24, 10.2.0.9/24, 'fd00:2::8/64']}}}\n"
		     "  r: {forward: true, interfaces: {eth0: lan, eth1: {bridge: priv, mac: "
		     "'02:00:00:00:00:07'}, eth2: free}}\n");
	struct wr_nft_table *host = table_of(model, "host", NFPROTO_BRIDGE);
	struct wr_nft_table *priv = table_of(model, "priv", NFPROTO_BRIDGE);
	const uint8_t local[32] = {'n', 'e', 't', '-', 'a', '-', 'e', 't', 'h', '0', [16] = 0xfd, 0, 0, 2, [31] = 8};

	assert_null(table_of(model, "free", NFPROTO_BRIDGE));
	assert_int_equal(count(host, "guarded"), 2);
	assert_element(host, "routers", "net-r-eth0\0\0\0\0\0", 16, NULL, 0);
	assert_int_equal(count(host, "routers"), 1);
	/* Of the router also what it has elsewhere. */
	assert_int_equal(count(host, "ip4-senders"), 4);
	/* Each address, and none: who probes has none yet. */
	assert_int_equal(count(host, "arp-senders"), 6);
	/* Each address and the link-local one. */
	assert_int_equal(count(host, "ip6-senders"), 4);
	assert_int_equal(count(host, "targets"), 4);
	assert_element(host, "ip6-senders", local, sizeof local, NULL, 0);
	assert_int_equal(count(priv, "guarded"), 1);
	/* No IPv6 there, so no address of it. */
	assert_int_equal(count(priv, "ip6-senders"), 0);
	assert_element(priv, "mac-senders", "r-eth1\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\x07\0", 24, NULL, 0);
	assert_int_equal(wr_nft_find_chain(priv, "guard")->priority, -300);
	/* The rules are the same everywhere. */
	assert_int_equal(n_rules(host, "guard"), n_rules(priv, "guard"));
}

/* --- notes ------------------------------------------------------------------------------------------------------------------- */

static void test_before(void **state)
{
	struct wr_nft_table *table = table_of(
		want(*state, "{name: net, bridges: {lan: {subnet: 10.2.0.0/24, host: true}}}"), "host", NFPROTO_INET);
	const struct wr_nft_set *set = wr_nft_find_set(table, WR_FILTER_BEFORE);
	static const int16_t values[] = {0, 1, 2, -1, INT16_MIN, INT16_MAX};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct wr_nft_element *element =
			wr_filter_before(*state, "interface-15byt", WR_CONF_V6_ACCEPT_RA, values[i]);
		char scope[16];
		uint8_t conf;
		int16_t value;

		assert_non_null(element);
		assert_true(wr_filter_read_before(set, element, scope, &conf, &value));
		assert_string_equal(scope, "interface-15byt");
		assert_int_equal(conf, WR_CONF_V6_ACCEPT_RA);
		assert_int_equal(value, values[i]);
		assert_false(wr_filter_read_before(wr_nft_find_set(table, "own"), element, scope, &conf, &value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_isolation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_at_one_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collides_by_family, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nat_of_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_firewall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_touching_prefixes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_phrase, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
