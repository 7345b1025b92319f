/* Tests of src/filter/borrow.c: which settings of the host a network's traffic needs. */
#include "netfile.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>

#include "filter/filter.h"
#include "model/model.h"
#include "model/name.h"
#include "model/nft.h"

/* A machine with two ways out, of which one has the default route, and things that are none. */
struct machine {
	struct wr_arena *arena;
	struct wr_model *live;
	struct wr_link *eth0, *eth1, *lo, *port, *down, *other;
};

static struct wr_link *add_link(struct wr_model *live, const char *name, bool up, const char *ip4, const char *ip6)
{
	struct wr_link *link = wr_ns_add_link(wr_model_host(live), WR_LINK_VETH, name);
	const char *addresses[] = {ip4, ip6};

	for (size_t i = 0; i < 2; i++)
		if (addresses[i])
			assert_int_equal(wr_prefix_parse(addresses[i], &wr_link_add_address(link)->prefix, NULL), 0);
	link->up = up;
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		link->conf.value[id] = 0;
	link->conf.value[WR_CONF_V6_ACCEPT_RA] = 1;
	return link;
}

static void add_default(struct wr_model *live, const char *to, const char *dev)
{
	struct wr_route *route = wr_ns_add_route(wr_model_host(live));

	assert_int_equal(wr_prefix_parse(to, &route->to, NULL), 0);
	route->hops = wr_arena_alloc(live->arena, sizeof *route->hops);
	route->hops[0].dev = dev;
	route->n_hops = 1;
}

static int setup(void **state)
{
	struct wr_arena *arena = wr_arena_new();
	struct machine *m = wr_arena_alloc(arena, sizeof *m);

	m->arena = arena;
	m->live = wr_model_new(arena, "net");
	m->live->live = true;
	m->lo = add_link(m->live, "lo", true, "127.0.0.1/8", "::1/128");
	m->lo->kind = WR_LINK_LOOPBACK;
	m->eth0 = add_link(m->live, "eth0", true, "192.0.2.2/24", "2001:db8::2/64");
	m->eth1 = add_link(m->live, "eth1", true, "198.51.100.2/24", "fe80::1/64");
	m->down = add_link(m->live, "eth2", false, "203.0.113.2/24", NULL);
	m->port = add_link(m->live, "eth3", true, "203.0.113.3/24", NULL);
	m->port->master = m->eth1;
	m->other = add_link(m->live, "far-lan", true, "10.77.0.1/24", NULL);
	m->other->group = wr_name_group("far");
	add_default(m->live, "0.0.0.0/0", "eth0");
	add_default(m->live, "::/0", "eth0");
	m->live->inherited.known = true;
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		m->live->inherited.host_default.value[id] = 0;
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		wr_model_host(m->live)->conf_all.value[id] = 0;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	wr_arena_free(((struct machine *)*state)->arena);
	return 0;
}

static struct wr_model *want(const struct machine *m, const char *bridges, const char *publishes)
{
	struct wr_text messages WR_CLEANUP_TEXT = {0};
	const char *text = wr_arena_printf(m->arena,
					   "name: net\nbridges: {%s}\n"
					   "namespaces: {web: {interfaces: {eth0: lan}, publish: [%s]}}\n",
					   bridges, publishes);
	struct wr_model *model = read_file(m->arena, text, strlen(text), NULL, &messages);

	if (!model)
		fail_msg("%s", wr_text_string(&messages));
	assert_int_equal(wr_filter_want(model), 0);
	assert_int_equal(wr_filter_want_host(model, m->live), 0);
	return model;
}

/* "SCOPE NAME VALUE BEFORE", one behind the other. */
static void assert_borrows(const struct wr_model *model, const char *expected)
{
	struct wr_text text WR_CLEANUP_TEXT = {0};

	for (size_t i = 0; i < model->n_borrows; i++)
		wr_text_addf(&text, "%s%s %s%d %d %d", i ? ", " : "", model->borrows[i].scope,
			     wr_conf_rows[model->borrows[i].conf].name,
			     wr_conf_rows[model->borrows[i].conf].family == AF_INET6 ? 6 : 4, model->borrows[i].value,
			     model->borrows[i].before);
	assert_string_equal(wr_text_string(&text), expected);
}

#define LAN4 "lan: {subnet: 10.2.0.0/24, host: true, "
#define LAN6 "lan: {subnet: [10.2.0.0/24, 'fd00:2::/64'], host: true, "

static void test_nothing(void **state)
{
	assert_borrows(want(*state, LAN6 "}", ""), "");
	assert_borrows(want(*state, "lan: {subnet: 10.2.0.0/24, guard: true}", ""), "");
	assert_borrows(want(*state, LAN6 "}", "'127.0.0.1:80:80'"), "");
}

static void test_nat(void **state)
{
	assert_borrows(want(*state, LAN4 "nat: true}", ""), "eth0 forwarding4 1 0");
	assert_borrows(want(*state, LAN6 "nat: true}", ""), "eth0 forwarding4 1 0, eth0 force_forwarding6 1 0");
	assert_borrows(want(*state, LAN4 "nat: {out: eth1}}", ""), "eth0 forwarding4 1 0, eth1 forwarding4 1 0");
}

static void test_publish(void **state)
{
	assert_borrows(want(*state, LAN4 "}", "'80:80'"),
		       "eth0 forwarding4 1 0, eth1 forwarding4 1 0, far-lan forwarding4 1 1");
	assert_borrows(
		want(*state, LAN6 "}", "'80:80'"),
		"eth0 forwarding4 1 0, eth1 forwarding4 1 0, far-lan forwarding4 1 1, eth0 force_forwarding6 1 0");
	assert_borrows(want(*state, LAN6 "}", "'192.0.2.2:80:80'"), "eth0 forwarding4 1 0");
	assert_borrows(want(*state, LAN6 "}", "'198.51.100.2:80:80'"), "eth0 forwarding4 1 0, eth1 forwarding4 1 0");
	assert_borrows(want(*state, LAN4 "}", "'80:80@eth2'"), "eth0 forwarding4 1 0, eth2 forwarding4 1 0");
	assert_borrows(want(*state, LAN4 "routed: true}", ""),
		       "eth0 forwarding4 1 0, eth1 forwarding4 1 0, far-lan forwarding4 1 1");
}

static void test_what_is_ours(void **state)
{
	struct machine *m = *state;

	m->eth1->ours = true;
	assert_borrows(want(m, LAN4 "routed: true}", ""), "eth0 forwarding4 1 0, far-lan forwarding4 1 1");
}

/* What was noted first counts, whatever the value is by now. */
static void test_before(void **state)
{
	struct machine *m = *state;
	struct wr_borrow noted = {.scope = "eth0", .conf = WR_CONF_V4_FORWARDING, .value = 1, .noted = true};
	struct wr_nft_table *table;
	struct wr_nft_set *set;

	m->eth0->conf.value[WR_CONF_V4_FORWARDING] = 1;
	assert_borrows(want(m, LAN4 "nat: true}", ""), "eth0 forwarding4 1 1");
	/* Another network was here first. */
	table = wr_ns_add_table(wr_model_host(m->live), NFPROTO_INET, "warren-far");
	table->network = "far";
	set = wr_nft_add_set(m->arena, table, WR_FILTER_BEFORE);
	set->key_length = 20;
	set->data_length = 4;
	*wr_nft_add_element(m->arena, set) = *wr_filter_before(m->arena, "eth0", WR_CONF_V4_FORWARDING, 0);
	assert_borrows(want(m, LAN4 "nat: true}", ""), "eth0 forwarding4 1 0");
	/* And this one. */
	noted.before = 1;
	m->live->borrows = &noted;
	m->live->n_borrows = 1;
	assert_borrows(want(m, LAN4 "nat: true}", ""), "eth0 forwarding4 1 1");
}

/* --- a kernel before 6.17 ------------------------------------------------------------------------------------------------ */

static void test_old_kernel(void **state)
{
	struct machine *m = *state;
	struct wr_model *model;

	m->live->inherited.host_default.value[WR_CONF_V6_FORCE_FORWARDING] = WR_CONF_UNSET;
	m->eth1->conf.value[WR_CONF_V6_ACCEPT_RA] = 0;
	/* Those that take advertisements first; then all. */
	model = want(m, LAN6 "nat: true}", "");
	assert_borrows(model, "eth0 forwarding4 1 0, eth0 accept_ra6 2 1, eth2 accept_ra6 2 1, all forwarding6 1 0");
	for (size_t i = 0; i < wr_model_host(model)->n_links; i++)
		assert_int_equal(wr_model_host(model)->links[i]->conf.value[WR_CONF_V6_FORCE_FORWARDING],
				 WR_CONF_UNSET);
	/* Between two bridges alone. */
	model = want(m, LAN6 "}, dmz: {subnet: 'fd00:3::/64', host: true}", "");
	assert_borrows(model, "eth0 accept_ra6 2 1, eth2 accept_ra6 2 1, all forwarding6 1 0");
	/* IPv4 needs nothing of it. */
	assert_borrows(want(m, LAN4 "nat: true}", ""), "eth0 forwarding4 1 0");
	/* A look at an unknown kernel is no reason. */
	m->live->inherited.known = false;
	assert_borrows(want(m, LAN6 "nat: true}", ""), "eth0 forwarding4 1 0, eth0 force_forwarding6 1 0");
}

static void test_old_kernel_again(void **state)
{
	struct machine *m = *state;
	struct wr_borrow noted[] = {
		{.scope = "eth0", .conf = WR_CONF_V6_ACCEPT_RA, .value = 2, .before = 1, .noted = true},
		{.scope = "all", .conf = WR_CONF_V6_FORWARDING, .value = 1, .before = 0, .noted = true},
	};

	m->live->inherited.host_default.value[WR_CONF_V6_FORCE_FORWARDING] = WR_CONF_UNSET;
	m->live->borrows = noted;
	m->live->n_borrows = 2;
	m->eth0->conf.value[WR_CONF_V6_ACCEPT_RA] = 2;
	m->down->conf.value[WR_CONF_V6_ACCEPT_RA] = 2; /* somebody's own 2 */
	m->eth1->conf.value[WR_CONF_V6_ACCEPT_RA] = 0;
	wr_model_host(m->live)->conf_all.value[WR_CONF_V6_FORWARDING] = 1;
	assert_borrows(want(m, "lan: {subnet: 'fd00:2::/64', host: true, nat: true}", ""),
		       "eth0 accept_ra6 2 1, all forwarding6 1 0");
}

/* --- ports of other networks ------------------------------------------------------------------------------------------------- */

static void test_way_to_others(void **state)
{
	struct machine *m = *state;
	struct wr_model *model = want(m, LAN4 "}", ""), *publishing;
	struct wr_nft_table *table;

	assert_int_equal(model->bridges[0]->link->conf.value[WR_CONF_V4_FORWARDING], WR_CONF_UNSET);
	publishing = want(m, LAN4 "}", "'80:80'");
	table = wr_ns_find_table(wr_model_host(publishing), NFPROTO_INET, "warren-net");
	table->ours = false;
	table->network = "far";
	wr_model_host(m->live)->tables = &table;
	wr_model_host(m->live)->n_tables = 1;
	model = want(m, LAN4 "}", "");
	assert_int_equal(model->bridges[0]->link->conf.value[WR_CONF_V4_FORWARDING], 1);
	assert_borrows(model, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_kernel_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_way_to_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
