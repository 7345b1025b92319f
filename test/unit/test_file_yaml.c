/* What YAML itself refuses or brings: syntax, anchors, merges, bounds; and how messages are printed. */
#include "netfile.h"

static void assert_said(const char *text, size_t length, const char *wanted)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text printed = {0};

	assert_null(read_file(arena, text, length, NULL, &printed));
	assert_string_equal(wr_text_string(&printed), wanted);
}

#define SAYS(text, wanted) assert_said(text, sizeof(text) - 1, wanted)

static void test_printing(void **state)
{
	SAYS("namespaces:\n  web:\n    interfaces:\n      eth0: {adress: 10.0.0.1/24}\n",
	     "net.yaml:4:14: unknown key 'adress' in interface 'eth0' of namespace 'web'\n"
	     "    4 |       eth0: {adress: 10.0.0.1/24}\n"
	     "      |              ^\n"
	     "        did you mean 'address'?\n");
	/* A tab takes one column, a character of several bytes too; control bytes never reach a terminal. */
	SAYS("\"\\e[31m\xc3\xa4\": \t1\n", "net.yaml:1:1: unknown key '\\x1b[31m\xc3\xa4' in the file\n"
					   "    1 | \"\\e[31m\xc3\xa4\":  1\n"
					   "      | ^\n");
	SAYS("{\xc3\xa4: 1, b: 2}\n", "net.yaml:1:2: unknown key '\xc3\xa4' in the file\n"
				      "    1 | {\xc3\xa4: 1, b: 2}\n"
				      "      |  ^\n"
				      "net.yaml:1:8: unknown key 'b' in the file\n"
				      "    1 | {\xc3\xa4: 1, b: 2}\n"
				      "      |        ^\n");
	SAYS("name: x\r\nnamex: y\r\n", "net.yaml:2:1: unknown key 'namex' in the file\n"
					"    2 | namex: y\n"
					"      | ^\n"
					"        did you mean 'name'?\n");
}

static void test_long_line(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0}, printed = {0};

	wr_text_add(&text, "namespaces: {");
	for (int i = 0; i < 100; i++)
		wr_text_addf(&text, "n%02d: {}, ", i);
	wr_text_add(&text, "n50: {}}\n");
	assert_null(read_file(arena, wr_text_string(&text), text.length, NULL, &printed));
	assert_non_null(
		strstr(wr_text_string(&printed), "net.yaml:1:914: key 'n50' is there twice, first in line 1\n"));
	assert_non_null(strstr(wr_text_string(&printed), "    1 | ..."));
	assert_non_null(strstr(wr_text_string(&printed), " n99: {}, n50: {}}\n"));
}

static void test_first_twenty(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0}, printed = {0};
	struct wr_diagnostics diagnostics = {.arena = arena, .source = "-"};

	wr_text_add(&text, "name: x\n");
	for (int i = 0; i < 25; i++)
		wr_text_addf(&text, "wrong%d: 1\n", i);
	assert_null(read_file_into(&diagnostics, wr_text_string(&text), text.length, NULL, &printed));
	assert_int_equal(diagnostics.count, 20);
	assert_int_equal(diagnostics.total, 25);
	assert_non_null(strstr(wr_text_string(&printed), "<stdin>:21:1: unknown key 'wrong19' in the file\n"));
	assert_null(strstr(wr_text_string(&printed), "wrong20"));
	assert_non_null(strstr(wr_text_string(&printed), "<stdin>: and 5 more\n"));
}

static void test_syntax(void **state)
{
	SAYS("namespaces: {a: {interfaces: {e: {address: [::1]}}}}\n",
	     "net.yaml:1:45: not YAML: did not find expected node content, while parsing a flow node\n"
	     "    1 | namespaces: {a: {interfaces: {e: {address: [::1]}}}}\n"
	     "      |                                             ^\n"
	     "        text that begins with ':' needs quotes inside [] and {}, as in [\"::1\"]\n");
	SAYS("namespaces: {s: {routes: [{to: ::/0}]}}\n",
	     "net.yaml:1:32: not YAML: did not find expected node content, while parsing a flow node\n"
	     "    1 | namespaces: {s: {routes: [{to: ::/0}]}}\n"
	     "      |                                ^\n"
	     "        text that begins with ':' needs quotes inside [] and {}, as in [\"::1\"]\n");
	SAYS("namespaces: {app[1-3]: {}}\n",
	     "net.yaml:1:17: not YAML: did not find expected ',' or '}', while parsing a flow mapping\n"
	     "    1 | namespaces: {app[1-3]: {}}\n"
	     "      |                 ^\n"
	     "        a name with a range needs quotes inside [] and {}, as in {\"app[1-3]\": ...}\n");
	SAYS("namespaces:\n\ta: {}\n",
	     "net.yaml:2:1: not YAML: found character that cannot start any token, while scanning for the next token\n"
	     "    2 |  a: {}\n"
	     "      | ^\n"
	     "        YAML indents with spaces: replace the tab\n");
	SAYS("name: a: b\n", "net.yaml:1:8: not YAML: mapping values are not allowed in this context\n"
			     "    1 | name: a: b\n"
			     "      |        ^\n"
			     "        a text with ': ' in it needs quotes; otherwise look at the indentation\n");
	SAYS("name: a\nlinks: [\n",
	     "net.yaml:3:1: not YAML: did not find expected node content, while parsing a flow node\n");
}

static void test_bytes(void **state)
{
	SAYS("name: x\nnamespaces: {a\0b: {}}\n", "net.yaml:2:15: not YAML: control characters are not allowed (0x00)\n"
						  "    2 | namespaces: {ab: {}}\n"
						  "      |               ^\n");
	SAYS("name: \xff\n", "net.yaml:1:7: not YAML: invalid leading UTF-8 octet (0xff)\n"
			     "    1 | name: \\xff\n"
			     "      |       ^\n");
	SAYS("name: \"a\\0b\"\n", "net.yaml:1:7: a text with a zero byte in it\n"
				  "    1 | name: \"a\\0b\"\n"
				  "      |       ^\n");
}

static void test_documents(void **state)
{
	SAYS("name: a\n---\nname: b\n", "net.yaml:2:1: a second document: a file describes one network\n"
					"    2 | ---\n"
					"      | ^\n");
	SAYS("namespaces: {a: &x {interfaces: {b: *x}}}\n",
	     "net.yaml:1:37: alias '*x' stands inside what it names (line 1): it would contain itself\n"
	     "    1 | namespaces: {a: &x {interfaces: {b: *x}}}\n"
	     "      |                                     ^\n");
	SAYS("name: *y\n", "net.yaml:1:7: alias '*y' has no anchor '&y' before it\n"
			   "    1 | name: *y\n"
			   "      |       ^\n");
	SAYS("name: !foo a\n", "net.yaml:1:7: the tag '!foo' means nothing here\n"
			       "    1 | name: !foo a\n"
			       "      |       ^\n"
			       "        leave it out\n");
	SAYS("name: !!int 5\n", "net.yaml:1:7: the tag '!!int' means nothing here\n"
				"    1 | name: !!int 5\n"
				"      |       ^\n"
				"        leave it out\n");
	SAYS("? [a]\n: 1\n", "net.yaml:1:3: a key must be a text, not a list\n"
			     "    1 | ? [a]\n"
			     "      |   ^\n");
}

/* Repeats a piece, and says what the whole is refused with. */
static void assert_bound(const char *before, const char *piece, size_t times, const char *after, const char *wanted)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0}, printed = {0}, said = {0};
	struct wr_diagnostics diagnostics = {.arena = arena, .source = "net.yaml"};

	wr_text_add(&text, before);
	for (size_t i = 0; i < times; i++) {
		wr_text_add(&text, piece);
		if (strchr(piece, '&'))
			wr_text_addf(&text, "a%zu x]\n", i);
	}
	wr_text_add(&text, after);
	assert_null(read_file_into(&diagnostics, wr_text_string(&text), text.length, NULL, &printed));
	describe(&diagnostics, &said);
	assert_string_equal(wr_text_string(&said), wanted);
}

static void test_bounds(void **state)
{
	assert_bound("", "- [&", 1001, "", "1001:4: more than 1000 anchors in one file\n");
	assert_bound("a: ", "[", 33, "", "1:35: nested more than 32 deep\n");
	assert_bound("a: ", "[", 100000, "", "1:35: nested more than 32 deep\n");
	assert_bound("", "# 16 MiB\n", (16u << 20) / 9 + 1, "", "0:0: the file is larger than 16 MiB\n");
	assert_bound("a: [&x [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", ", *x",
		     200000, "]\n", "0:0: more than 8000000 values once aliases and merges are followed\n");
}

/* Anchors that double each other would be 2^60 values; merges of merges likewise. */
static void test_bombs(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
		WR_CLEANUP_TEXT struct wr_text text = {0}, printed = {0};

		wr_text_add(&text, i ? "a0: &a0 {x: 1}\n" : "a0: &a0 [x, x]\n");
		for (int n = 1; n < 60; n++) {
			if (i)
				wr_text_addf(&text, "a%d: &a%d {<<: [*a%d,*a%d], k%d: 1}\n", n, n, n - 1, n - 1, n);
			else
				wr_text_addf(&text, "a%d: &a%d [*a%d,*a%d]\n", n, n, n - 1, n - 1);
		}
		assert_null(read_file(arena, wr_text_string(&text), text.length, NULL, &printed));
		assert_string_equal(wr_text_string(&printed),
				    "net.yaml: more than 8000000 values once aliases and merges are followed\n");
	}
}

static void test_merges(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_model *model = read_good(arena, "bridges: {l: {subnet: 10.0.0.0/24}, m: {subnet: 10.1.0.0/24}}\n"
						  "namespaces:\n"
						  "  a: &a\n"
						  "    forward: true\n"
						  "    interfaces: &i {e: l}\n"
						  "  b: {<<: *a, forward: false}\n"
						  "  c: {interfaces: {<<: *i, f: m}}\n"
						  "  d: {interfaces: {<<: [{e: m}, {e: l, g: l}]}}\n"
						  "  e: *a\n");

	assert_true(get_ns(model, "a")->forward);
	assert_false(get_ns(model, "b")->forward);
	assert_addresses(model, "b", "e", "10.0.0.2/24");
	assert_addresses(model, "c", "e", "10.0.0.3/24");
	assert_addresses(model, "c", "f", "10.1.0.1/24");
	assert_string_equal(get_link(model, "d", "e")->segment->name, "m"); /* the earlier one of a list wins */
	assert_string_equal(get_link(model, "d", "g")->segment->name, "l");
	assert_true(get_ns(model, "e")->forward);
	SAYS("namespaces: {<<: 5}\n", "net.yaml:1:18: '<<' merges a mapping or a list of mappings, not text\n"
				      "    1 | namespaces: {<<: 5}\n"
				      "      |                  ^\n");
	SAYS("namespaces: {<<: [x]}\n", "net.yaml:1:19: '<<' merges mappings, not text\n"
					"    1 | namespaces: {<<: [x]}\n"
					"      |                   ^\n");
}

static void test_names_from_sources(void **state)
{
	static const struct {
		const char *source, *name;
	} rows[] = {{"shop.yaml", "shop"},  {"a/b.c/shop", "shop"}, {"./x-1.yml", "x-1"},
		    {"/etc/.hidden", NULL}, {"my net.yaml", NULL},  {"-", NULL}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
		WR_CLEANUP_TEXT struct wr_text printed = {0};
		struct wr_diagnostics diagnostics = {.arena = arena, .source = rows[i].source};
		struct wr_model *model = read_file_into(&diagnostics, "namespaces: {a: {}}", 19, NULL, &printed);

		assert_int_equal(model != NULL, rows[i].name != NULL);
		if (model)
			assert_string_equal(model->name, rows[i].name);
		else if (!strcmp(rows[i].source, "-"))
			assert_string_equal(wr_text_string(&printed),
					    "<stdin>: a network that is read from standard input needs a name\n"
					    "        write 'name: NAME' at its top, or use --name NAME\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printing),     cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_first_twenty), cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_bytes),	     cmocka_unit_test(test_documents),
		cmocka_unit_test(test_bounds),	     cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_merges),	     cmocka_unit_test(test_names_from_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
