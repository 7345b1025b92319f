/* Tests of live/filter*.c against the kernel in a sandbox: whose tables are whose, how much of others' is read, what a network
 * noted of the host, its rules in others' chains. The rules are written by nft(8). */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h> /* before linux/in.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/netfilter.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "kernel/sysctl.h"
#include "live/filter.h"
#include "live/live.h"
#include "model/nft.h"
#include "program.h"
#include "sandbox.h"

#define RULES "/run/rules.nft"

/* What the host of a machine with two networks and Docker may have. Settings: WR_CONF_V4_FORWARDING is 0, V6_FORWARDING 9. */
static const char host_rules[] =
	"table inet warren-shop { comment \"warren:shop\"\n"
	"  set own { type ifname; elements = { \"lan\", \"dmz\" }; }\n"
	"  map before { type ifname . mark : mark; elements = { \"up0\" . 0x0 : 0x8000, \"all\" . 0x9 : 0x8000,\n"
	"    \"gone\" . 0x0 : 0x8001, \"up0\" . 0xfff : 0x8000 }; }\n"
	"  chain forward { type filter hook forward priority 0; oifname @own counter drop comment \"from outside\"; }\n"
	"}\n"
	"table bridge warren-shop { chain nobody { type filter hook forward priority 0; policy drop; }; }\n"
	"table inet warren-else { comment \"warren:else\"\n"
	"  map before { type ifname . mark : mark; elements = { \"up0\" . 0x0 : 0x8000 }; }\n"
	"  map publish4 { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 80 : 10.0.0.1 "
	". 80 }; }\n"
	"  chain forward { type filter hook forward priority 0; accept; }\n"
	"}\n"
	"table inet warren-fake { comment \"warren:shop\"\n"
	"  chain c { type filter hook input priority 0; }; }\n"
	"table ip filter {\n"
	"  chain DOCKER-USER { iifname \"lan\" oifname \"up0\" counter accept comment \"warren:shop\"\n"
	"    iifname \"x\" accept comment \"warren:shopping\"\n"
	"    oifname \"lan\" accept comment \"warren:shop\"\n"
	"    return; }\n"
	"  chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }\n"
	"}\n"
	"table inet own { set used { type ipv4_addr; elements = { 10.0.0.9 }; }\n"
	"  set unused { type ipv4_addr; elements = { 10.0.0.9 }; }\n"
	"  set input { type ipv4_addr; elements = { 10.0.0.9 }; }\n"
	"  chain in { type filter hook input priority 0; ip saddr @input drop; }\n"
	"  chain sub { ip saddr @used drop; }\n"
	"  chain forward { type filter hook forward priority 0; jump sub; }\n"
	"}\n"
	"table inet unrelated { chain in { type filter hook input priority 0; drop; }; }\n";

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_model *wanted;
	struct wr_netns *web;
	struct wr_error error;
	bool has_nft;
};

static void load(const char *rules)
{
	assert_int_equal(wr_file_replace(RULES, rules, strlen(rules), 0600, NULL), 0);
	PROGRAM("nft", "-f", RULES);
}

static void set_link(struct wr_nl *nl, const char *ifname, const char *alias)
{
	struct wr_batch batch;
	struct ifinfomsg *header;

	wr_batch_init(&batch, nl);
	wr_batch_begin(&batch, RTM_NEWLINK, 0, 1);
	header = wr_batch_header(&batch, sizeof *header);
	header->ifi_change = header->ifi_flags = IFF_UP;
	wr_put_string(&batch, IFLA_IFNAME, ifname);
	if (alias != NULL)
		wr_put_string(&batch, IFLA_IFALIAS, alias);
	assert_int_equal(wr_batch_send(&batch, 0, NULL, NULL), 0);
	wr_batch_done(&batch);
}

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);
	struct wr_ns *web;

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/run/etc", &m->error), 0);
	assert_int_equal(wr_pins_prepare(&m->host, &m->error), 0);
	assert_int_equal(wr_nft_is_there(&m->host, &m->host.self, &m->has_nft, &m->error), 0);
	m->wanted = wr_model_new(m->arena, "shop");
	m->wanted->has_host_links = true;
	web = wr_model_add_ns(m->wanted, "web");
	web->pin = "shop.web";
	assert_int_equal(wr_netns_create(&m->host, "shop.web", &m->web, &m->error), 0);
	if (m->has_nft)
		load("table inet warren-shop { comment \"warren:shop\"\n"
		     "  chain input { type filter hook input priority 0; policy drop; }\n}\n"
		     "table inet warren-else { comment \"warren:else\"; }\n"
		     "table ip theirs { chain forward { type filter hook forward priority 0; }; }\n");
	wr_netns_leave(&m->host);
	set_link(&m->web->nl, "lo", "warren:shop.web");
	assert_int_equal(wr_netns_pin(&m->host, m->web, &m->error), 0);
	PROGRAM("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1");
	PROGRAM("ip", "link", "add", "lan", "type", "bridge");
	PROGRAM("ip", "link", "add", "other", "type", "bridge");
	set_link(&m->host.self.nl, "lan", "warren:shop.lan");
	set_link(&m->host.self.nl, "other", "warren:else.other");
	if (m->has_nft)
		load(host_rules);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	if (m->has_nft)
		PROGRAM("nft", "flush", "ruleset");
	PROGRAM("ip", "link", "del", "up0");
	PROGRAM("ip", "link", "del", "lan");
	PROGRAM("ip", "link", "del", "other");
	wr_netns_unpin(&m->host, m->web, &m->error);
	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	free(m);
	return 0;
}

#define NEEDS_NFT(m)                                                                                                   \
	do {                                                                                                           \
		if (!(m)->has_nft)                                                                                     \
			skip();                                                                                        \
	} while (0)

static struct wr_model *observe(struct machine *m, struct wr_live_request request)
{
	struct wr_model *live = NULL;

	request.network = "shop";
	request.skip_inherited = true;
	if (wr_live_observe(&m->host, &request, m->arena, &live, &m->error) < 0)
		fail_msg("%s", m->error.text);
	return live;
}

static const struct wr_nft_table *host_table(const struct wr_model *live, uint8_t family, const char *name)
{
	return wr_ns_find_table(wr_model_host(live), family, name);
}

static const struct wr_borrow *find_borrow(const struct wr_model *live, const char *scope)
{
	for (size_t i = 0; i < live->n_borrows; i++)
		if (strcmp(live->borrows[i].scope, scope) == 0)
			return &live->borrows[i];
	fail_msg("no note of %s", scope);
	return NULL;
}

/* What `down` knows. */
static void test_marks(void **state)
{
	struct machine *m = *state;
	const struct wr_nft_table *table;
	const struct wr_opening *opening;
	const struct wr_borrow *borrow;
	struct wr_model *live;

	NEEDS_NFT(m);
	assert_int_equal(wr_sysctl_write(&m->host, &m->host.self, true, "net.ipv4.conf.up0.forwarding", "1", &m->error),
			 0);
	live = observe(m, (struct wr_live_request){.depth = WR_LIVE_MARKS});
	/* the network's own, and the one that has its name */
	assert_int_equal(wr_model_host(live)->n_tables, 2);
	table = host_table(live, NFPROTO_INET, "warren-shop");
	assert_true(table && table->ours);
	assert_string_equal(table->network, "shop");
	assert_ptr_equal(table->ns, wr_model_host(live));
	assert_int_equal(table->n_sets, 2);
	assert_true(table->sets[0].deep && table->sets[0].n_elements == 2);
	assert_true(table->n_chains == 1 && table->chains[0].deep && table->chains[0].n_rules == 1);
	table = host_table(live, NFPROTO_BRIDGE, "warren-shop");
	assert_true(table && !table->ours && table->network == NULL && table->n_chains == 0);
	/* notes: one that no setting has is passed over */
	assert_int_equal(live->n_borrows, 3);
	borrow = find_borrow(live, "up0");
	assert_true(borrow->conf == WR_CONF_V4_FORWARDING && borrow->before == 0 && borrow->value == 1);
	assert_true(borrow->noted && borrow->shared);
	borrow = find_borrow(live, "all");
	assert_true(borrow->conf == WR_CONF_V6_FORWARDING && borrow->value == 0 && !borrow->shared);
	assert_int_equal(find_borrow(live, "gone")->value, WR_CONF_UNSET);
	/* rules of its own in the chain that Docker offers */
	assert_int_equal(live->n_openings, 2);
	opening = &live->openings[0];
	assert_true(opening->family == NFPROTO_IPV4 && opening->handle != 0);
	assert_string_equal(opening->table, "filter");
	assert_string_equal(opening->chain, "DOCKER-USER");
	assert_string_equal(opening->iif, "lan");
	assert_string_equal(opening->oif, "up0");
	assert_null(live->openings[1].iif);
	assert_int_equal(wr_model_find_ns(live, "web")->n_tables, 0);
	assert_int_equal(live->n_obstacles, 0);
}

/* What a first look knows. */
static void test_all(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_FULL, .filters = WR_LIVE_FILTERS_ALL};
	const struct wr_nft_table *table;
	struct wr_model *live;

	NEEDS_NFT(m);
	live = observe(m, request);
	table = host_table(live, NFPROTO_INET, "warren-else");
	assert_true(table && !table->ours);
	assert_string_equal(table->network, "else");
	assert_true(table->n_sets == 2 && table->sets[1].deep && table->sets[1].n_elements == 1);
	assert_int_equal(table->n_chains, 0);
	assert_true(find_borrow(live, "up0")->shared);
	assert_int_equal(live->n_openings, 2);
	table = host_table(live, NFPROTO_IPV4, "filter");
	assert_true(table && !table->network && table->n_chains == 2);
	assert_int_equal(wr_nft_find_chain(table, "DOCKER-USER")->n_rules, 4);
	/* of somebody else's only what forwarding meets */
	table = host_table(live, NFPROTO_INET, "own");
	assert_true(table && table->n_chains == 3 && table->n_sets == 1);
	assert_string_equal(table->sets[0].name, "used");
	assert_int_equal(table->sets[0].n_elements, 1);
	assert_null(host_table(live, NFPROTO_INET, "unrelated"));
	/* a mark and a name that do not fit */
	assert_null(host_table(live, NFPROTO_INET, "warren-fake"));
	table = host_table(live, NFPROTO_BRIDGE, "warren-shop");
	assert_true(table && !table->ours);
	assert_int_equal(wr_model_host(live)->n_tables, 5);
	assert_int_equal(wr_model_find_ns(live, "web")->n_tables, 1);
}

/* A network that has nothing in the host: others' filters are none of its business. */
static void test_elsewhere(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_FULL, .filters = WR_LIVE_FILTERS_ALL};
	struct wr_model *live;

	NEEDS_NFT(m);
	m->wanted->has_host_links = false;
	PROGRAM("nft", "delete", "table", "inet", "warren-shop");
	live = observe(m, request);
	assert_non_null(host_table(live, NFPROTO_IPV4, "filter")); /* its bridge is still there */
	PROGRAM("ip", "link", "set", "lan", "alias", "");
	live = observe(m, request);
	assert_int_equal(wr_model_host(live)->n_tables, 1);
	assert_non_null(host_table(live, NFPROTO_BRIDGE, "warren-shop"));
	assert_int_equal(live->n_openings, 0);
}

static void test_namespaces(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_FULL};
	struct wr_ns *web, *wanted = wr_model_find_ns(m->wanted, "web");

	NEEDS_NFT(m);
	web = wr_model_find_ns(observe(m, request), "web");
	assert_int_equal(web->n_tables, 0);
	assert_int_equal(m->web->nft.fd, -1); /* nothing of interest, nothing opened */
	request.filters = WR_LIVE_FILTERS_OWN;
	web = wr_model_find_ns(observe(m, request), "web");
	assert_int_equal(web->n_tables, 1);
	assert_true(web->tables[0]->ours);
	assert_int_equal(web->tables[0]->chains[0].policy, NF_DROP);
	request.filters = WR_LIVE_FILTERS_WANTED;
	wr_ns_add_table(wanted, NFPROTO_BRIDGE, "warren-shop");
	web = wr_model_find_ns(observe(m, request), "web");
	assert_int_equal(web->n_tables, 0);
	wr_ns_add_table(wanted, NFPROTO_INET, "warren-shop");
	web = wr_model_find_ns(observe(m, request), "web");
	assert_int_equal(web->n_tables, 1);
}

/* What `warren firewall` reads. */
static void test_read_network(void **state)
{
	struct machine *m = *state;
	struct wr_model *live = wr_model_new(m->arena, "shop");
	struct wr_ns *host = wr_model_host(live);

	NEEDS_NFT(m);
	assert_int_equal(wr_tables_read_network(&m->host, &m->host.self, host, "else", &m->error), 0);
	assert_int_equal(host->n_tables, 1);
	assert_true(host->tables[0]->ours && host->tables[0]->n_chains == 1 && host->tables[0]->n_sets == 2);
	host->n_tables = 0;
	assert_int_equal(wr_tables_read_network(&m->host, &m->host.self, host, NULL, &m->error), 0);
	assert_int_equal(host->n_tables, 2);
	assert_false(host->tables[0]->ours || host->tables[1]->ours);
}

/* ::1 on a bridge of the network, and on another's. */
static void test_local_routes(void **state)
{
	struct machine *m = *state;
	struct wr_model *live;
	struct wr_ns *host;
	size_t found = 0;

	PROGRAM("ip", "-6", "route", "add", "local", "::1", "dev", "lan", "table", "local", "proto", "173");
	PROGRAM("ip", "-6", "route", "append", "local", "::1", "dev", "other", "table", "local", "proto", "173",
		"metric", "2000");
	PROGRAM("ip", "-6", "route", "add", "local", "::2", "dev", "lan", "table", "local");
	live = observe(m, (struct wr_live_request){.wanted = m->wanted, .depth = WR_LIVE_FULL});
	host = wr_model_host(live);
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct wr_route *route = &host->routes[i];
		char buffer[WR_PREFIX_TEXT_MAX];

		if (route->table != RT_TABLE_LOCAL)
			continue;
		found++;
		assert_string_equal(wr_prefix_format(&route->to, buffer), "::1/128");
		assert_true(route->type == RTN_LOCAL && route->protocol == WR_PROTOCOL && route->n_hops == 1);
		assert_string_equal(route->hops[0].dev, "lan");
	}
	assert_int_equal(found, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_marks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_elsewhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_namespaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_network, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_local_routes, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
