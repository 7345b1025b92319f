/* The planner, driven by network files: what one file says is taken for what is there, another for what is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "file/netfile.h"
#include "plan/plan.h"

static struct wr_model *load(struct wr_arena *arena, const char *text)
{
	struct wr_netfile_input input = {.source = "t.yaml", .text = text, .length = strlen(text)};
	struct wr_diagnostics diagnostics = {.arena = arena, .source = "t.yaml", .text = text, .length = input.length};
	struct wr_model *model = NULL;

	if (wr_netfile_load(&input, arena, &model, &diagnostics) < 0 ||
	    wr_netfile_assign(model, NULL, "machine", &diagnostics) < 0)
		fail_msg("%s", diagnostics.count ? diagnostics.items[0].message : "not loaded");
	return model;
}

/* A file as if the kernel had it. */
static struct wr_model *load_live(struct wr_arena *arena, const char *text)
{
	struct wr_model *model = load(arena, text);
	uint32_t ifindex = 1;

	model->live = true;
	for (size_t i = 0; i < model->n_ns; i++)
		for (size_t k = 0; k < model->ns[i]->n_links; k++)
			model->ns[i]->links[k]->ifindex = ++ifindex;
	return model;
}

static char *steps_of(struct wr_arena *arena, const struct wr_model *wanted, const struct wr_model *live)
{
	struct wr_text WR_CLEANUP_TEXT text = {0};
	struct wr_plan *plan = NULL;
	struct wr_error error;

	if (wr_plan_make(wanted, live, NULL, arena, &plan, &error) < 0)
		fail_msg("%s", error.text);
	for (size_t i = 0; i < plan->n_steps; i++) {
		assert_non_null(plan->steps[i].reason);
		if (i == plan->first_removal)
			wr_text_add(&text, "--\n");
		wr_text_add_char(&text, (char)plan->steps[i].sign);
		wr_text_add_char(&text, ' ');
		wr_step_words(&plan->steps[i], &text);
		wr_text_add(&text, plan->steps[i].interrupts ? " (interrupts)\n" : "\n");
	}
	return wr_arena_strdup(arena, wr_text_string(&text));
}

#define BRIDGE "name: t\nbridges: {lan: {subnet: 10.2.0.0/24}}\n"

static const struct {
	const char *what, *live, *wanted, *steps;
} cases[] = {
	{"equal values", BRIDGE "namespaces: {web: {interfaces: {eth0: lan}}}\n",
	 BRIDGE "namespaces: {web: {interfaces: {eth0: lan}}}\n", ""},
	{"mtu in place",
	 "name: t\nnamespaces: {a: {interfaces: {x: {address: 10.0.0.1/24}}}, b: {}}\nlinks: [[a:x, b:x]]\n",
	 "name: t\nnamespaces: {a: {interfaces: {x: {address: 10.0.0.1/24}}}, b: {}}\nlinks: [{ends: [a:x, b:x], mtu: "
	 "1400}]\n",
	 "~ mtu 1500 → 1400 on a:x\n~ mtu 1500 → 1400 on b:x\n"},
	{"an address is replaced without taking its neighbours along",
	 "name: t\nnamespaces: {a: {interfaces: {x: {address: 10.0.0.1/24}}}, b: {}}\nlinks: [[a:x, b:x]]\n",
	 "name: t\nnamespaces: {a: {interfaces: {x: {address: 10.0.0.9/24}}}, b: {}}\nlinks: [[a:x, b:x]]\n",
	 "~ names of the network, for its namespaces\n~ net.ipv4.conf.x.promote_secondaries = 1 in a\n"
	 "+ address 10.0.0.9/24 on a:x\n--\n"
	 "- address 10.0.0.1/24 on a:x (interrupts)\n"},
	{"an address that moves goes first",
	 "name: t\nnamespaces: {a: {interfaces: {x: {address: 10.0.0.1/24}}}, b: {interfaces: {x: {}}}}\nlinks: [[a:x, "
	 "b:x]]\n",
	 "name: t\nnamespaces: {a: {interfaces: {x: {}}}, b: {interfaces: {x: {address: 10.0.0.1/24}}}}\nlinks: [[a:x, "
	 "b:x]]\n",
	 "- address 10.0.0.1/24 on a:x (interrupts)\n~ names of the network, for its namespaces\n"
	 "+ address 10.0.0.1/24 on b:x\n"},
	{"a namespace that left goes last",
	 BRIDGE
	 "namespaces: {web: {interfaces: {eth0: {bridge: lan, address: 10.2.0.9}}}, old: {interfaces: {eth0: lan}}}\n",
	 BRIDGE "namespaces: {web: {interfaces: {eth0: {bridge: lan, address: 10.2.0.9}}}}\n",
	 "~ names of the network, for its namespaces\n--\n- link lan—old:eth0 (interrupts)\n- namespace old "
	 "(interrupts)\n"},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr_arena *arena = wr_arena_new();
		char *steps = steps_of(arena, load(arena, cases[i].wanted), load_live(arena, cases[i].live));

		if (strcmp(steps, cases[i].steps) != 0)
			fail_msg("%s:\n%s-- is not --\n%s", cases[i].what, steps, cases[i].steps);
		wr_arena_free(arena);
	}
}

/* Every step towards nothing takes away; every step from nothing adds. */
static void test_from_and_to_nothing(void **state)
{
	static const char text[] = BRIDGE "namespaces: {'app[1-9]': {interfaces: {eth0: lan}}}\n";
	struct wr_arena *arena = wr_arena_new();
	struct wr_model *nothing = wr_model_new(arena, "t"), *there = load_live(arena, text);
	struct wr_plan *plan = NULL;

	(void)state;
	nothing->live = true;
	assert_int_equal(wr_plan_make(load(arena, text), nothing, NULL, arena, &plan, NULL), 0);
	assert_int_equal(plan->first_removal, plan->n_steps);
	assert_true(plan->n_steps > 9 * 4);
	for (size_t i = 0; i < plan->n_steps; i++)
		assert_int_not_equal(plan->steps[i].sign, WR_STEP_REMOVE);
	assert_int_equal(wr_plan_make(nothing, there, NULL, arena, &plan, NULL), 0);
	assert_int_equal(plan->first_removal, 0);
	for (size_t i = 0; i < plan->n_steps; i++)
		assert_int_equal(plan->steps[i].sign, WR_STEP_REMOVE);
	wr_arena_free(arena);
}

/* What stands in the way and is not ours stops the plan, and says whose it is. */
static void test_conflicts(void **state)
{
	struct wr_arena *arena = wr_arena_new();
	struct wr_model *live = wr_model_new(arena, "t");
	struct wr_model *wanted = load(arena, "name: t\nbridges: {lan: {subnet: 10.2.0.0/24, host: true}}\n"
					      "namespaces: {web: {interfaces: {eth0: lan}}}\n");
	struct wr_link *foreign = wr_ns_add_link(wr_model_host(live), WR_LINK_OTHER, "t-lan");
	struct wr_plan *plan = NULL;
	struct wr_error error = {0};

	(void)state;
	live->live = true;
	foreign->ifname = "t-lan";
	foreign->kernel_kind = "dummy";
	foreign->ours = false;
	assert_int_equal(wr_plan_make(wanted, live, NULL, arena, &plan, &error), -17);
	assert_int_equal(error.kind, WR_ERR_CONFLICT);
	assert_string_equal(error.text,
			    "interface 't-lan' exists in this machine: a dummy interface that warren did not make");
	assert_null(plan);

	foreign->ifname = "docker0";
	assert_int_equal(wr_prefix_parse("10.2.0.1/16", &wr_link_add_address(foreign)->prefix, NULL), 0);
	assert_int_equal(wr_plan_make(wanted, live, NULL, arena, &plan, &error), -98);
	assert_string_equal(error.text, "10.2.0.1/24 of lan overlaps 10.2.0.1/16 of interface 'docker0': a dummy "
					"interface that warren did not make");
	wr_arena_free(arena);
}

/* What the kernel lacks is named with its option. */
static void test_kernel(void **state)
{
	static const char text[] = "name: t\nbridges: {lan: {subnet: ['10.2.0.0/24', 'fd00::/64'], host: true}}\n"
				   "namespaces: {web: {interfaces: {eth0: lan}}}\n";
	static const struct {
		bool no_veth, no_bridge, no_ipv6;
		const char *error, *mend;
	} rows[] = {
		{.no_veth = true,
		 .error = "this kernel has no virtual cables (veth), which network 't' needs",
		 .mend = "use a kernel with CONFIG_VETH"},
		{.no_bridge = true,
		 .error = "this kernel has no bridges, which network 't' needs",
		 .mend = "use a kernel with CONFIG_BRIDGE"},
		{.no_ipv6 = true,
		 .error = "this kernel has no IPv6, which network 't' needs",
		 .mend = "use a kernel with CONFIG_IPV6, and without ipv6.disable=1 on its command line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_arena *arena = wr_arena_new();
		struct wr_model *live = wr_model_new(arena, "t");
		struct wr_plan *plan = NULL;
		struct wr_error error = {0};

		live->live = live->inherited.known = true;
		live->inherited.no_veth = rows[i].no_veth;
		live->inherited.no_bridge = rows[i].no_bridge;
		live->inherited.no_ipv6 = rows[i].no_ipv6;
		assert_int_equal(wr_plan_make(load(arena, text), live, NULL, arena, &plan, &error), -95);
		assert_int_equal(error.kind, WR_ERR_UNSUPPORTED);
		assert_string_equal(error.text, rows[i].error);
		assert_string_equal(error.mend, rows[i].mend);
		wr_arena_free(arena);
	}
}

/* A kernel without IPv6 is asked for none of its settings. */
static void test_no_ipv6(void **state)
{
	struct wr_arena *arena = wr_arena_new();
	struct wr_model *live = wr_model_new(arena, "t");
	struct wr_plan *plan = NULL;

	(void)state;
	live->live = live->inherited.known = live->inherited.no_ipv6 = true;
	assert_int_equal(wr_plan_make(load(arena, BRIDGE "namespaces: {web: {interfaces: {eth0: lan}}}\n"), live, NULL,
				      arena, &plan, NULL),
			 0);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].kind == WR_STEP_set_conf)
			assert_int_equal(wr_conf_rows[plan->steps[i].conf].family, 2);
	wr_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	  cmocka_unit_test(test_from_and_to_nothing),
		cmocka_unit_test(test_conflicts), cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_no_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
