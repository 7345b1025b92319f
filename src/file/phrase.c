/* phrase.c: "tcp 80 443 8000-8100 from 10.2.0.0/24 web to host": a firewall's phrases.
 *
 * PROTOCOL [PORT | PORT-PORT]... [from WHO...] [to WHO...], words with white space between them. The first word that is wrong is
 * said at its own place. Names stay names here: whom they stand for is known when addresses are handed out. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"
#include "model/name.h"

#define HOW "a phrase is 'tcp|udp|sctp PORT...', 'icmp' or 'any', then 'from WHO...' and 'to WHO...'"

struct phrase {
	struct wr_nf_reader *r;
	const struct wr_nf_entry *entry;
	struct wr_nf_cursor cursor;
	struct wr_phrase *ret;
	const char *next;      /* what is not read yet */
	const char *word;      /* the word that is looked at, in scratch; NULL: none is left */
	const char *at;	       /* where it begins */
	struct wr_place place; /* of word */
	size_t n_words;	       /* an upper bound for every list in it */
};

static const struct protocol {
	const char *name;
	uint8_t number;
	bool has_ports;
} protocols[] = {
	{"tcp", IPPROTO_TCP, true},    {"udp", IPPROTO_UDP, true}, {"sctp", IPPROTO_SCTP, true},
	{"icmp", IPPROTO_ICMP, false}, {"any", 0, false},
};

static const struct protocol *find_protocol(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	return NULL;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

static bool next_word(struct phrase *p)
{
	size_t length;

	p->next += strspn(p->next, " \t\n");
	length = strcspn(p->next, " \t\n");
	p->place = wr_nf_cursor_place(&p->cursor, p->next);
	p->at = p->next;
	p->word = NULL;
	if (!length)
		return false;
	p->word = wr_arena_strndup(p->r->scratch, p->next, length);
	if (!p->word)
		p->r->out_of_memory = true;
	p->next += length;
	return p->word != NULL;
}

static size_t count_words(const char *text)
{
	size_t count = 0;

	while (*(text += strspn(text, " \t\n"))) {
		text += strcspn(text, " \t\n");
		count++;
	}
	return count;
}

static bool is_side(const char *word)
{
	return !strcmp(word, "from") || !strcmp(word, "to");
}

/* --- the protocol -------------------------------------------------------------------------------------------------- */

static const char *protocol_hint(struct phrase *p)
{
	static const char *const names[] = {"tcp", "udp", "sctp", "icmp", "any", NULL};
	static const char *const of_icmp[] = {"icmpv6", "icmp6", "ipv6-icmp", "icmpv4", "ping"};
	static const char *const of_any[] = {"all", "ip", "ipv4", "ipv6", "*"};
	const char *hint;

	for (size_t i = 0; i < sizeof of_icmp / sizeof of_icmp[0]; i++)
		if (!strcasecmp(p->word, of_icmp[i]))
			return "'icmp' is that of IPv4 and of IPv6";
	for (size_t i = 0; i < sizeof of_any / sizeof of_any[0]; i++)
		if (!strcasecmp(p->word, of_any[i]))
			return "did you mean 'any'?";
	if (isdigit((unsigned char)p->word[0]))
		return "several ports stand in one phrase with spaces between: tcp 80 443";
	hint = is_side(p->word) ? NULL : wr_nf_suggest(p->r, p->word, names);
	return hint ? hint : HOW;
}

static bool read_protocol(struct phrase *p, const struct protocol **ret)
{
	if (!next_word(p)) {
		if (!p->r->out_of_memory)
			wr_diagnose(p->r->diagnostics, p->cursor.start, HOW, "an empty phrase in %s",
				    wr_nf_subject(p->r, p->entry));
		return false;
	}
	*ret = find_protocol(p->word);
	if (*ret) {
		p->ret->protocol = (*ret)->number;
		return true;
	}
	wr_diagnose(p->r->diagnostics, p->place, protocol_hint(p), "a phrase begins with its protocol, not with '%s'",
		    p->word);
	return false;
}

/* --- ports --------------------------------------------------------------------------------------------------------- */

static bool read_port(struct phrase *p, struct wr_ports *ret)
{
	const char *dash = strchr(p->word, '-');
	size_t length = dash ? (size_t)(dash - p->word) : strlen(p->word);

	if (!wr_nf_port(p->r, &p->cursor, p->at, length, NULL, &ret->first))
		return false;
	ret->last = ret->first;
	if (!dash)
		return true;
	if (!wr_nf_port(p->r, &p->cursor, p->at + length + 1, strlen(dash + 1), NULL, &ret->last))
		return false;
	if (ret->first <= ret->last)
		return true;
	wr_diagnose(p->r->diagnostics, p->place,
		    wr_arena_printf(p->r->arena, "did you mean '%u-%u'?", ret->last, ret->first),
		    "the range of ports '%s' ends before it begins", p->word);
	return false;
}

/* A word where a port could stand, and that is none. */
static void say_no_port(struct phrase *p, const struct protocol *protocol)
{
	static const char *const sides[] = {"from", "to", NULL};
	bool is_number = isdigit((unsigned char)p->word[0]);

	if (strchr(p->word, ',') && protocol->has_ports)
		wr_diagnose(p->r->diagnostics, p->place, "leave the comma out: ports stand with spaces between",
			    "'%s' is no port", p->word);
	else if (is_number && !protocol->number)
		wr_diagnose(p->r->diagnostics, p->place,
			    wr_arena_printf(p->r->arena, "did you mean 'tcp %s' or 'udp %s'?", p->word, p->word),
			    "'any' is every protocol and has no ports");
	else if (is_number)
		wr_diagnose(p->r->diagnostics, p->place, NULL, "'%s' has no ports", protocol->name);
	else if (find_protocol(p->word))
		wr_diagnose(p->r->diagnostics, p->place, "write a phrase for each", "a second protocol, '%s'", p->word);
	else
		wr_diagnose(p->r->diagnostics, p->place, wr_nf_suggest(p->r, p->word, sides),
			    protocol->has_ports ? "'%s' is no port, and neither 'from' nor 'to'"
						: "'%s' is neither 'from' nor 'to'",
			    p->word);
}

static int by_first(const void *one, const void *two)
{
	const struct wr_ports *a = one, *b = two;

	return a->first != b->first ? (int)a->first - b->first : (int)a->last - b->last;
}

/* In order, with what overlaps or touches as one. */
static void merge_ports(struct wr_phrase *phrase)
{
	size_t kept = 0;

	if (phrase->n_ports < 2)
		return;
	qsort(phrase->ports, phrase->n_ports, sizeof *phrase->ports, by_first);
	for (size_t i = 1; i < phrase->n_ports; i++) {
		struct wr_ports *last = &phrase->ports[kept], *ports = &phrase->ports[i];

		if (ports->first > last->last + 1u)
			phrase->ports[++kept] = *ports;
		else if (ports->last > last->last)
			last->last = ports->last;
	}
	phrase->n_ports = kept + 1;
}

static bool read_ports(struct phrase *p, const struct protocol *protocol)
{
	struct wr_phrase *phrase = p->ret;

	while (next_word(p) && !is_side(p->word)) {
		/* "80,443" begins like a port and is a list that somebody means. */
		if (!protocol->has_ports || !isdigit((unsigned char)p->word[0]) || strchr(p->word, ',')) {
			say_no_port(p, protocol);
			return false;
		}
		if (!phrase->ports)
			phrase->ports = wr_nf_alloc(p->r, p->n_words * sizeof *phrase->ports);
		if (!phrase->ports || !read_port(p, &phrase->ports[phrase->n_ports]))
			return false;
		phrase->n_ports++;
	}
	merge_ports(phrase);
	return !p->r->out_of_memory;
}

/* --- from and to --------------------------------------------------------------------------------------------------- */

static bool read_prefix(struct phrase *p, struct wr_who *who)
{
	struct wr_ip network = wr_prefix_network(&who->prefix);
	char buffer[WR_PREFIX_TEXT_MAX];

	if (wr_ip_equal(&network, &who->prefix.ip))
		return true;
	who->prefix.ip = network;
	wr_diagnose(p->r->diagnostics, p->place,
		    wr_arena_printf(p->r->arena, "did you mean %s?", wr_prefix_format(&who->prefix, buffer)),
		    "'%s' has bits set beyond its length", p->word);
	return false;
}

static bool read_one(struct phrase *p, struct wr_who *who)
{
	who->place = p->place;
	if (wr_prefix_parse(p->word, &who->prefix, NULL) == 0)
		return read_prefix(p, who);
	if (!wr_name_is_valid(p->word)) {
		wr_diagnose(p->r->diagnostics, p->place,
			    strchr(p->word, ',') ? "leave the comma out: several stand with spaces between" : NULL,
			    "'%s' is no address, no prefix, and no name of a namespace or bridge", p->word);
		return false;
	}
	who->name = wr_arena_strdup(p->r->arena, p->word);
	if (!who->name)
		p->r->out_of_memory = true;
	return who->name != NULL;
}

/* What follows `from` or `to`, up to the other one or the end. */
static bool read_side(struct phrase *p, struct wr_who **list, size_t *count)
{
	struct wr_place place = p->place;
	const char *side = p->word;

	if (*count) {
		wr_diagnose(p->r->diagnostics, place, "several stand behind one: from 10.0.0.1 10.0.0.2",
			    "'%s' is there twice", side);
		return false;
	}
	*list = wr_nf_alloc(p->r, p->n_words * sizeof **list);
	while (*list && next_word(p) && !is_side(p->word)) {
		if (!read_one(p, &(*list)[*count]))
			return false;
		(*count)++;
	}
	if (!*count && !p->r->out_of_memory)
		wr_diagnose(p->r->diagnostics, place, NULL, "nobody stands behind '%s'", side);
	return *count && !p->r->out_of_memory;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void add_side(struct wr_text *text, const char *side, const struct wr_who *list, size_t count)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	if (count)
		wr_text_add(text, side);
	for (size_t i = 0; i < count; i++) {
		bool is_whole = list[i].prefix.length == wr_ip_bits(&list[i].prefix.ip);

		wr_text_add_char(text, ' ');
		if (list[i].name)
			wr_text_add(text, list[i].name);
		else
			wr_text_add(text, is_whole ? wr_ip_format(&list[i].prefix.ip, buffer)
						   : wr_prefix_format(&list[i].prefix, buffer));
	}
}

static const char *canonical(struct wr_nf_reader *r, const struct wr_phrase *phrase, const char *protocol)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	const char *copy;

	wr_text_add(&text, protocol);
	for (size_t i = 0; i < phrase->n_ports; i++) {
		wr_text_add_char(&text, ' ');
		wr_text_add_uint(&text, phrase->ports[i].first);
		if (phrase->ports[i].first != phrase->ports[i].last) {
			wr_text_add_char(&text, '-');
			wr_text_add_uint(&text, phrase->ports[i].last);
		}
	}
	add_side(&text, " from", phrase->from, phrase->n_from);
	add_side(&text, " to", phrase->to, phrase->n_to);
	copy = wr_text_error(&text) ? NULL : wr_arena_strdup(r->arena, wr_text_string(&text));
	if (!copy)
		r->out_of_memory = true;
	return copy;
}

bool wr_nf_phrase(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
		  struct wr_phrase *ret)
{
	const char *text = wr_nf_text(r, item, entry);
	struct phrase p = {.r = r, .entry = entry, .ret = ret, .next = text};
	const struct protocol *protocol = NULL;

	if (!text)
		return false;
	wr_nf_cursor_begin(&p.cursor, item, text);
	ret->place = p.cursor.start;
	p.n_words = count_words(text);
	if (!wr_nf_count(r, item, p.n_words ? p.n_words : 1) || !read_protocol(&p, &protocol) ||
	    !read_ports(&p, protocol))
		return false;
	while (p.word) {
		bool is_from = !strcmp(p.word, "from");

		if (!read_side(&p, is_from ? &ret->from : &ret->to, is_from ? &ret->n_from : &ret->n_to))
			return false;
	}
	ret->text = canonical(r, ret, protocol->name);
	return ret->text != NULL;
}
