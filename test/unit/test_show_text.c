/* Tests of show/text.c, steps.c and words.c: what a plan, a status and the list of pins look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "live/live.h"
#include "show/show.h"
#include "test_show.h"

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

static void assert_has(const struct wr_text *text, const char *piece)
{
	assert_int_equal(wr_text_error(text), 0);
	if (strstr(wr_text_string(text), piece) == NULL)
		fail_msg("'%s' is not in:\n%s", piece, wr_text_string(text));
}

static void assert_lacks(const struct wr_text *text, const char *piece)
{
	assert_int_equal(wr_text_error(text), 0);
	if (strstr(wr_text_string(text), piece) != NULL)
		fail_msg("'%s' is in:\n%s", piece, wr_text_string(text));
}

/* The words of one step. */
static void assert_words(const struct wr_step *step, const char *expected)
{
	struct wr_text text = {0};

	wr_step_words(step, &text);
	assert_int_equal(wr_text_error(&text), 0);
	assert_string_equal(wr_text_string(&text), expected);
	wr_text_done(&text);
}

/* Every kind of thing of a new network, named as people name it. */
static void test_new_network(void **state)
{
	static const char *const lines[] = {
		"+ namespace web  ",
		"+ namespace dmz  ",
		"+ bridge lan  ",
		"+ link lan—web:eth0  ",
		"+ link dmz—app:eth0.100  ",
		"+ link host:shop0—web:eth2  ",
		"+ link r1:a—s1:eth0  ",
		"+ address 10.2.0.2/24 on web:eth0  ",
		"+ address fd00:2::2/64 on web:eth0  ",
		"+ address 10.2.0.1/24 on lan  ",
		"+ address 10.9.0.1/30 on host:shop0  ",
		"+ address 192.168.255.1/32 on r1:lo  ",
		"+ up lan:web.eth0  ",
		"+ up web:eth0  ",
		"+ route default via 10.2.0.1 in web  ",
		"+ route default via fd00:2::1 in web  ",
		"+ route 192.0.2.0/24 dev eth1 metric 50 in web  ",
		"+ route 198.51.100.0/24 via 10.3.0.12 table 100 in web  ",
		"+ route 203.0.113.0/24 via 10.3.0.11 dev eth1, via 10.3.0.12 dev eth1 weight 3 in web  ",
		"+ route blackhole 10.66.0.0/16 in app  ",
		"+ route default via 10.2.0.1 src 10.2.0.3 in app  ",
		"+ rule 1000 from 10.3.0.0/24 mark 0x10/0xff table 100 in web  ",
		"+ neighbour 10.10.1.9 at 02:00:00:00:00:09 on r1:a  ",
		"~ net.ipv4.ip_forward 0 → 1 in r1  ",
		"~ net.ipv6.conf.eth1.disable_ipv6 0 → 1 in web  ",
		"~ net.ipv4.ip_local_port_range = 20000 30000 in web  ",
		"+ names /etc/netns/shop.app/resolv.conf  ",
		" to change, 0 to remove\n",
	};
	struct wr_plan *plan = show_plan(*state, show_network(*state), show_empty_machine(*state, "shop"));
	struct wr_text text = {0};
	size_t count = 0;

	wr_show_plan_text(plan, &text);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_has(&text, lines[i]);
	assert_lacks(&text, "interrupt");
	for (const char *c = wr_text_string(&text); *c != '\0'; c++)
		count += *c == '\n';
	assert_int_equal(count, plan->n_steps + 1);
	wr_text_done(&text);
}

static void test_removal(void **state)
{
	struct wr_model *live = show_network(*state);
	struct wr_text text = {0};

	live->live = true;
	wr_show_plan_text(show_plan(*state, show_need(wr_model_new(*state, "shop")), live), &text);
	assert_has(&text, "- namespace web  ");
	assert_has(&text, "- bridge lan  ");
	assert_has(&text, "- link lan—web:eth0  ");
	assert_has(&text, "- link host:shop0—web:eth2  ");
	assert_has(&text, " (interrupts)\n");
	assert_has(&text, "0 to add, 0 to change, ");
	assert_has(&text, " to remove, 9 interruptions\n");
	wr_text_done(&text);
}

static void test_nothing(void **state)
{
	struct wr_plan plan = {0};
	struct wr_text text = {0};

	wr_show_plan_text(&plan, &text);
	assert_string_equal(wr_text_string(&text), "nothing to do\n");
	wr_text_done(&text);
}

/* Whatever came from the kernel: a live link may have any name. */
static void test_changes(void **state)
{
	struct wr_model *wanted = show_network(*state), *live = show_network(*state);
	struct wr_ns *web = wr_model_find_ns(wanted, "web");
	struct wr_link *link = wr_ns_find_link(web, "eth1"),
		       *old = wr_ns_find_link(wr_model_find_ns(live, "web"), "eth1");
	struct wr_step step = {.ns = web, .link = link, .old_link = old, .reason = ""};
	struct wr_bridge_options options = {0, 2, 300, 0x4008, 0, 1};
	struct wr_link *dmz = wr_ns_find_link(wr_model_find_ns(wanted, "dmz"), "dmz");
	struct wr_link no_options = {.bridge = &options};

	old->mtu = 1500;
	step.kind = WR_STEP_set_mtu;
	assert_words(&step, "mtu 1500 → 1400 on web:eth1");
	step.old_link = NULL;
	assert_words(&step, "mtu 1400 on web:eth1");
	step.old_link = old;
	assert_int_equal(wr_mac_parse("02:00:00:00:00:01", &old->mac), 0);
	assert_int_equal(wr_mac_parse("02:00:00:00:00:02", &link->mac), 0);
	step.kind = WR_STEP_set_mac;
	assert_words(&step, "mac 02:00:00:00:00:01 → 02:00:00:00:00:02 on web:eth1");
	step.kind = WR_STEP_set_down;
	assert_words(&step, "down web:eth1");
	step.kind = WR_STEP_mark_link;
	assert_words(&step, "mark on web:eth1");
	step.kind = WR_STEP_set_master;
	step.link = link->peer;
	step.old_link = old->peer;
	old->peer->master = wr_model_host(live)->links[0];
	assert_words(&step, "port lan → dmz of web:eth1");
	old->peer->master = NULL;
	assert_words(&step, "port none → dmz of web:eth1");
	step.kind = WR_STEP_set_isolated;
	link->peer->isolated = true;
	assert_words(&step, "isolated no → yes on dmz:web.eth1");
	step.kind = WR_STEP_set_bridge;
	step.link = dmz;
	step.old_link = &no_options;
	assert_words(&step, "options stp 0 → 1, ageing 300 → 60 on dmz");
}

static void test_filters(void **state)
{
	static const struct {
		enum wr_step_kind kind;
		const char *words;
	} rows[] = {
		{WR_STEP_set_filter, "filter inet warren-shop in host (2 sets, 1 element)"},
		{WR_STEP_del_filter, "filter inet warren-shop in host"},
		{WR_STEP_borrow_conf, "net.ipv4.conf.eth0.forwarding 0 → 1 in host"},
		{WR_STEP_return_conf, "net.ipv4.conf.eth0.forwarding 1 → 0 in host"},
		{WR_STEP_open_chain, "opening in chain DOCKER-USER of table ip filter from shop.lan to eth0"},
		{WR_STEP_close_chain, "opening in chain DOCKER-USER of table ip filter from shop.lan to eth0"},
	};
	struct wr_model *wanted = show_network(*state);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_step step = {.kind = (uint8_t)rows[i].kind, .reason = ""};

		show_filter_step(*state, &step, wanted);
		assert_words(&step, rows[i].words);
	}
}

static void test_change_route(void **state)
{
	struct wr_model *wanted = show_network(*state), *live = show_network(*state);
	struct wr_ns *web = wr_model_find_ns(wanted, "web");
	struct wr_route *old = &wr_model_find_ns(live, "web")->routes[0];
	struct wr_step step = {.kind = WR_STEP_change_route, .ns = web, .reason = "", .route = &web->routes[0]};

	step.old_route = old;
	assert_words(&step, "route default via 10.2.0.1 in web");
	old->hops[0].via = show_ip("10.2.0.254");
	assert_words(&step, "route default via 10.2.0.254 → via 10.2.0.1 in web");
	old->to = show_prefix("::/0");
	old->metric = 1024;
	old->n_hops = 0;
	step.kind = WR_STEP_del_route;
	step.route = old;
	assert_words(&step, "route ::/0 in web");
}

/* A cable is named as well as what was seen of it allows. */
static void test_half_seen_cables(void **state)
{
	struct wr_model *live = show_need(wr_model_new(*state, "shop"));
	struct wr_link *bridge = show_need(wr_ns_add_link(wr_model_host(live), WR_LINK_BRIDGE, "lan"));
	struct wr_link *port = show_need(wr_ns_add_link(wr_model_host(live), WR_LINK_VETH, "web.eth0.100"));
	struct wr_step step = {.kind = WR_STEP_del_link, .ns = wr_model_host(live), .link = port, .reason = ""};

	port->master = bridge;
	assert_words(&step, "link lan—web:eth0.100");
	port->master = NULL;
	port->alias = "warren:shop.web.eth0.100";
	assert_words(&step, "link host—web:eth0.100");
	port->name = "eth0.100"; /* an interface called that, not a port */
	assert_words(&step, "link host:eth0.100");
	port->alias = NULL;
	port->name = "evil\033[31m";
	assert_words(&step, "link host:evil\\x1b[31m");
	port->name = "caf\xc3\xa9";
	assert_words(&step, "link host:café");
}

/* The reasons stand in one column where the words leave room, whatever the width of their bytes. */
static void test_columns(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_ns *web = wr_model_find_ns(wanted, "web");
	struct wr_step steps[] = {
		{.kind = WR_STEP_add_ns, .sign = '+', .ns = web, .reason = "one"},
		{.kind = WR_STEP_add_cable,
		 .sign = '+',
		 .ns = web,
		 .link = web->links[1],
		 .reason = "two",
		 .interrupts = true},
		{.kind = WR_STEP_set_up,
		 .sign = '~',
		 .ns = web,
		 .link = web->links[1],
		 .reason = "",
		 .interrupts = true},
	};
	struct wr_plan plan = {.steps = steps, .n_steps = 3};
	struct wr_text text = {0};

	wr_show_plan_text(&plan, &text);
	assert_string_equal(wr_text_string(&text), "+ namespace web                                 one\n"
						   "+ link lan—web:eth0                             two (interrupts)\n"
						   "~ up web:eth0  (interrupts)\n"
						   "2 to add, 1 to change, 0 to remove, 2 interruptions\n");
	plan.n_steps = 2;
	wr_text_done(&text);
	wr_show_plan_text(&plan, &text);
	assert_has(&text, "2 to add, 0 to change, 0 to remove, 1 interruption\n");
	wr_text_done(&text);
}

static void test_status(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_step step = {
		.kind = WR_STEP_add_ns, .sign = '+', .ns = wr_model_find_ns(wanted, "web"), .reason = "r"};
	struct wr_plan plan = {.steps = &step};
	struct wr_text text = {0};

	wr_show_status_text("shop", "examples/shop.yaml", &plan, &text);
	assert_string_equal(wr_text_string(&text), "shop: as examples/shop.yaml says\n");
	wr_text_done(&text);
	wr_show_status_text("shop", NULL, &plan, &text);
	assert_string_equal(wr_text_string(&text), "shop: as its file says\n");
	wr_text_done(&text);
	plan.n_steps = 1;
	wr_show_status_text("shop", "a\nb.yaml", &plan, &text);
	assert_string_equal(wr_text_string(&text), "shop: differs from a\\x0ab.yaml in 1 place\n"
						   "+ namespace web                                 r\n");
	wr_text_done(&text);
}

static void test_pins(void **state)
{
	static const struct wr_pin_entry pins[] = {
		{.pin = "other"},
		{.pin = "shop.web", .network = "shop", .name = "web"},
		{.pin = "shop.old", .stale = true},
		{.pin = "\033", .unreadable = "Permission denied"},
	};
	struct wr_text text = {0};

	wr_show_pins_text(pins, 4, &text);
	assert_string_equal(wr_text_string(&text), "NAME      NETWORK  NAMESPACE\n"
						   "other     -        -\n"
						   "shop.web  shop     web\n"
						   "shop.old  -        stale: a file that is no namespace\n"
						   "\\x1b      -        not readable: Permission denied\n");
	wr_text_done(&text);
	wr_show_pins_text(pins, 0, &text);
	assert_string_equal(wr_text_string(&text), "no namespaces are pinned\n");
	wr_text_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_seen_cables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
