/* Tests of show/json.c, json_model.c and json_write.c: what is written is read back by jansson. The shape is held against
 * share/warren-output.schema.json by the tests of the whole program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "live/live.h"
#include "show/json_write.h"
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

/* Reads a document and empties the text. */
static json_t *parse(struct wr_text *text)
{
	json_error_t error;
	json_t *document;

	assert_int_equal(wr_text_error(text), 0);
	document = json_loadb(text->bytes, text->length, JSON_REJECT_DUPLICATES, &error);
	if (document == NULL)
		fail_msg("%s at %d:%d in:\n%s", error.text, error.line, error.column, wr_text_string(text));
	wr_text_done(text);
	return document;
}

static void assert_member(const json_t *object, const char *key, const char *expected)
{
	const json_t *member = json_object_get(object, key);

	assert_non_null(member);
	if (expected == NULL)
		assert_true(json_is_null(member));
	else
		assert_string_equal(json_string_value(member), expected);
}

static void assert_number(const json_t *object, const char *key, long long expected)
{
	const json_t *member = json_object_get(object, key);

	assert_true(json_is_integer(member));
	assert_int_equal(json_integer_value(member), expected);
}

/* The step of this kind and text, or a failure. */
static json_t *find_step(const json_t *document, const char *kind, const char *text)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(document, "steps"), i, step)
	{
		if (strcmp(json_string_value(json_object_get(step, "kind")), kind) == 0 &&
		    strcmp(json_string_value(json_object_get(step, "text")), text) == 0)
			return step;
	}
	fail_msg("no step '%s' with '%s'", kind, text);
	return NULL;
}

static void test_strings(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", "\"\""},
		{"eth0", "\"eth0\""},
		{"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
		{"\n\t\001\033\177", "\"\\n\\t\\u0001\\u001b\\u007f\""},
		{"caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x90\xb0", "\"caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x90\xb0\""},
		{"\x80", "\"\xef\xbf\xbd\""},
		{"a\xc3", "\"a\xef\xbf\xbd\""},
		{"\xc3(", "\"\xef\xbf\xbd(\""},
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},				      /* overlong */
		{"\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},		      /* overlong */
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},		      /* a surrogate */
		{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* beyond U+10FFFF */
		{"\xf0\x9f\x90", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{NULL, "null"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_text text = {0};
		struct wr_json json = {.text = &text};

		wr_json_string(&json, rows[i].in);
		assert_int_equal(wr_text_error(&text), 0);
		assert_string_equal(wr_text_string(&text), rows[i].out);
		wr_text_done(&text);
	}
}

/* Strings around the size of the piece that the writer puts together, with something to escape in every place. */
static void test_long_strings(void **state)
{
	char string[400];

	for (size_t length = 180; length < 210; length++) {
		for (size_t odd = 0; odd <= length; odd++) {
			struct wr_text text = {0};
			struct wr_json json = {.text = &text};
			json_t *list;

			memset(string, 'x', length);
			string[length] = '\0';
			if (odd < length)
				string[odd] = '\n';
			wr_json_begin(&json, '[');
			wr_json_string(&json, string);
			wr_json_string(&json, string);
			wr_json_end(&json, ']');
			list = parse(&text);
			assert_string_equal(json_string_value(json_array_get(list, 0)), string);
			assert_string_equal(json_string_value(json_array_get(list, 1)), string);
			json_decref(list);
		}
	}
}

static void test_nesting(void **state)
{
	struct wr_text text = {0};
	struct wr_json json = {.text = &text};

	wr_json_begin(&json, '{');
	wr_json_key(&json, "a");
	wr_json_begin(&json, '[');
	wr_json_end(&json, ']');
	wr_json_key(&json, "b");
	wr_json_begin(&json, '[');
	wr_json_line(&json);
	wr_json_int(&json, INT64_MIN);
	wr_json_line(&json);
	wr_json_uint(&json, UINT64_MAX);
	wr_json_begin(&json, '{');
	wr_json_end(&json, '}');
	wr_json_null(&json);
	wr_json_end(&json, ']');
	wr_json_member_bool(&json, "c", false);
	wr_json_end(&json, '}');
	assert_string_equal(wr_text_string(&text),
			    "{\"a\":[],\"b\":[\n-9223372036854775808,\n18446744073709551615,{},null],"
			    "\"c\":false}");
	wr_text_done(&text);
}

static void test_plan(void **state)
{
	struct wr_plan *plan = show_plan(*state, show_network(*state), show_empty_machine(*state, "shop"));
	struct wr_text text = {0};
	json_t *document, *step, *route;

	wr_show_plan_json(plan, &text);
	document = parse(&text);
	assert_member(document, "warren", "plan");
	assert_number(document, "format", 1);
	assert_member(document, "network", "shop");
	assert_member(document, "source", "shop.yaml");
	assert_int_equal(json_array_size(json_object_get(document, "steps")), plan->n_steps);
	assert_number(json_object_get(document, "summary"), "remove", 0);
	step = find_step(document, "add_cable", "link lan—web:eth0");
	assert_member(step, "action", "add");
	assert_member(step, "object", "link");
	assert_member(step, "namespace", "host");
	assert_member(step, "bridge", "lan");
	assert_member(json_object_get(step, "link"), "ifname", "shop-web-eth0");
	assert_member(json_object_get(step, "peer"), "namespace", "web");
	assert_member(json_object_get(step, "peer"), "name", "eth0");
	step = find_step(document, "set_conf", "net.ipv4.ip_forward 0 → 1 in r1");
	assert_member(step, "key", "net.ipv4.ip_forward");
	assert_member(step, "from", "0");
	assert_member(step, "to", "1");
	assert_member(step, "link", NULL);
	step = find_step(document, "add_address", "address fd00:2::2/64 on web:eth0");
	assert_member(step, "address", "fd00:2::2/64");
	step = find_step(document, "add_route",
			 "route 203.0.113.0/24 via 10.3.0.11 dev eth1, via 10.3.0.12 dev eth1 weight 3 in web");
	route = json_object_get(step, "route");
	assert_member(route, "to", "203.0.113.0/24");
	assert_member(route, "src", NULL);
	assert_int_equal(json_array_size(json_object_get(route, "nexthops")), 2);
	assert_number(json_array_get(json_object_get(route, "nexthops"), 1), "weight", 3);
	json_decref(document);
}

/* Every kind says what it is about; what it says is the schema's business. */
static void test_every_kind(void **state)
{
	static const char *const about[WR_STEP_COUNT_] = {
		[WR_STEP_mend_pin] = "pin",
		[WR_STEP_add_ns] = "pin",
		[WR_STEP_adopt_ns] = "pin",
		[WR_STEP_set_conf] = "key",
		[WR_STEP_set_sysctl] = "key",
		[WR_STEP_write_hosts] = "pin",
		[WR_STEP_link_file] = "file",
		[WR_STEP_add_bridge] = "bridge",
		[WR_STEP_add_cable] = "peer",
		[WR_STEP_mark_link] = "peer",
		[WR_STEP_move_port] = "to",
		[WR_STEP_set_mac] = "to",
		[WR_STEP_set_mtu] = "to",
		[WR_STEP_set_master] = "to",
		[WR_STEP_set_isolated] = "to",
		[WR_STEP_set_bridge] = "to",
		[WR_STEP_add_address] = "address",
		[WR_STEP_mark_address] = "address",
		[WR_STEP_set_up] = "peer",
		[WR_STEP_set_down] = "peer",
		[WR_STEP_add_route] = "route",
		[WR_STEP_change_route] = "old_route",
		[WR_STEP_add_rule] = "rule",
		[WR_STEP_add_neighbour] = "neighbour",
		[WR_STEP_del_neighbour] = "neighbour",
		[WR_STEP_del_rule] = "rule",
		[WR_STEP_del_route] = "route",
		[WR_STEP_del_address] = "address",
		[WR_STEP_del_link] = "peer",
		[WR_STEP_del_ns] = "pin",
		[WR_STEP_unlink_file] = "file",
		[WR_STEP_remove_hosts] = "pin",
		[WR_STEP_set_filter] = "table",
		[WR_STEP_del_filter] = "nft",
		[WR_STEP_borrow_conf] = "key",
		[WR_STEP_return_conf] = "to",
		[WR_STEP_open_chain] = "chain",
		[WR_STEP_close_chain] = "oif",
	};
	struct wr_text text = {0};
	json_t *document;

	wr_show_plan_json(show_every_kind(*state, show_network(*state), show_network(*state)), &text);
	document = parse(&text);
	for (int kind = 0; kind < WR_STEP_COUNT_; kind++) {
		json_t *step = json_array_get(json_object_get(document, "steps"), kind);

		assert_non_null(about[kind]);
		if (json_object_get(step, about[kind]) == NULL)
			fail_msg("kind %d has no '%s'", kind, about[kind]);
		assert_member(step, "reason", "because");
		assert_string_not_equal(json_string_value(json_object_get(step, "text")), "");
	}
	json_decref(document);
}

static void test_model(void **state)
{
	struct wr_text text = {0};
	json_t *document, *list, *web, *eth0;

	wr_show_model_json(show_network(*state), &text);
	document = parse(&text);
	assert_member(document, "warren", "show");
	assert_member(json_object_get(document, "prefixes"), "namespace", "shop.");
	list = json_object_get(document, "bridges");
	assert_int_equal(json_array_size(list), 2);
	assert_member(json_array_get(list, 0), "gateway", "host");
	assert_member(json_array_get(list, 1), "gateway", NULL);
	assert_number(json_array_get(list, 1), "ports", 2);
	list = json_object_get(document, "namespaces");
	assert_int_equal(json_array_size(list), 6);
	assert_member(json_array_get(list, 0), "name", "host");
	assert_member(json_array_get(list, 0), "pin", NULL);
	web = json_array_get(list, 2);
	assert_member(web, "pin", "shop.web");
	assert_int_equal(json_array_size(json_object_get(web, "routes")), 5);
	assert_int_equal(json_array_size(json_object_get(web, "neighbours")), 0);
	eth0 = json_array_get(json_object_get(web, "interfaces"), 1);
	assert_member(eth0, "bridge", "lan");
	assert_member(eth0, "alias", "warren:shop.web.eth0");
	assert_number(eth0, "mtu", 1500);
	assert_member(json_object_get(eth0, "peer"), "ifname", "shop-web-eth0");
	assert_int_equal(json_array_size(json_object_get(eth0, "addresses")), 2);
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(eth0, "addresses"), 0), "handed_out")));
	json_decref(document);
}

static void test_status(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_plan nothing = {.wanted = wanted, .live = wanted};
	struct wr_text text = {0};
	json_t *document;

	wr_show_status_json("shop", NULL, &nothing, &text);
	document = parse(&text);
	assert_member(document, "warren", "status");
	assert_member(document, "source", NULL);
	assert_true(json_is_true(json_object_get(document, "as_wanted")));
	assert_number(document, "differences", 0);
	assert_true(json_is_array(json_object_get(document, "steps")));
	assert_member(json_object_get(document, "wanted"), "warren", "show");
	json_decref(document);
}

/* Names that are no text at all still give a document that can be read. */
static void test_pins(void **state)
{
	static const struct wr_pin_entry pins[] = {
		{.pin = "shop.web", .network = "shop", .name = "web"},
		{.pin = "bad\xff\n\"", .unreadable = "Permission denied"},
		{.pin = "old", .stale = true},
	};
	struct wr_text text = {0};
	json_t *document, *list;

	wr_show_pins_json(pins, 3, &text);
	document = parse(&text);
	assert_member(document, "warren", "ls");
	list = json_object_get(document, "namespaces");
	assert_int_equal(json_array_size(list), 3);
	assert_member(json_array_get(list, 0), "network", "shop");
	assert_member(json_array_get(list, 0), "state", "namespace");
	assert_member(json_array_get(list, 1), "pin", "bad\xef\xbf\xbd\n\"");
	assert_member(json_array_get(list, 1), "network", NULL);
	assert_member(json_array_get(list, 1), "state", "unreadable");
	assert_member(json_array_get(list, 1), "problem", "Permission denied");
	assert_member(json_array_get(list, 2), "state", "stale");
	json_decref(document);
	wr_show_pins_json(NULL, 0, &text);
	document = parse(&text);
	assert_true(json_is_array(json_object_get(document, "namespaces")));
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test_setup_teardown(test_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
