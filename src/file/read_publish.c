/* read_publish.c: `publish:` of a namespace: "[HOST ADDRESS:]HOST PORT:PORT INSIDE[/tcp|/udp][@INTERFACE OF THE HOST]".
 *
 * Cut from its end: an interface's name may hold no '/' and no ':', an address in brackets nothing but itself. */
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"
#include "model/name.h"

#define HOW "a port is published as \"8080:80\", \"127.0.0.1:5353:53/udp\" or \"8080:80@eth0\""

struct publish {
	struct wr_nf_reader *r;
	struct wr_nf_cursor cursor;
	const char *text, *end; /* what is left of the text */
	struct wr_publish *ret;
	struct wr_place *address_place;
};

static const char *find_last(const char *text, const char *end, char c)
{
	while (end > text)
		if (*--end == c)
			return end;
	return NULL;
}

/* "@eth0" */
static bool cut_interface(struct publish *p)
{
	const char *at = memchr(p->text, '@', (size_t)(p->end - p->text)), *name;
	struct wr_place place;

	if (!at)
		return true;
	place = wr_nf_cursor_place(&p->cursor, at + 1);
	name = wr_arena_strndup(p->r->arena, at + 1, (size_t)(p->end - at - 1));
	if (!name) {
		p->r->out_of_memory = true;
		return false;
	}
	if (!wr_ifname_is_valid(name)) {
		const char *slash = strchr(name, '/');

		wr_diagnose(p->r->diagnostics, place, slash ? "the protocol stands before it: 8080:80/udp@eth0" : NULL,
			    "'%s' is no interface of the host", name);
		return false;
	}
	p->ret->in = name;
	p->end = at;
	return true;
}

/* "/udp" */
static bool cut_protocol(struct publish *p)
{
	const char *slash = find_last(p->text, p->end, '/');
	size_t length;

	p->ret->protocol = IPPROTO_TCP;
	if (!slash)
		return true;
	length = (size_t)(p->end - slash - 1);
	p->end = slash;
	if (length == 3 && !strncmp(slash + 1, "tcp", 3))
		return true;
	p->ret->protocol = IPPROTO_UDP;
	if (length == 3 && !strncmp(slash + 1, "udp", 3))
		return true;
	wr_diagnose(p->r->diagnostics, wr_nf_cursor_place(&p->cursor, slash + 1), NULL,
		    "'%.*s' cannot be published: only tcp and udp can", length < 20 ? (int)length : 20, slash + 1);
	return false;
}

/* What stands before the two ports: an address, of IPv6 in brackets. */
static bool read_address(struct publish *p, const char *end)
{
	bool bracketed = p->text[0] == '[' && end > p->text + 1 && end[-1] == ']';
	const char *from = p->text + bracketed, *reason = NULL, *text;
	struct wr_ip *ip = &p->ret->host;

	*p->address_place = wr_nf_cursor_place(&p->cursor, from);
	text = wr_arena_strndup(p->r->scratch, from, (size_t)(end - from - bracketed));
	if (!text) {
		p->r->out_of_memory = true;
		return false;
	}
	if (wr_ip_parse(text, ip) < 0 || bracketed != (ip->family == AF_INET6)) {
		const char *hint =
			ip->family == AF_INET6 ? "an IPv6 address stands in brackets: \"[::1]:8080:80\"" : HOW;

		wr_diagnose(p->r->diagnostics, *p->address_place, hint, "'%s' is no address of the host", text);
		return false;
	}
	if (wr_ip_is_unspecified(ip))
		reason = "leave it out: a port without an address is published at all of them";
	else if (!wr_ip_is_multicast(ip))
		return true;
	wr_diagnose(p->r->diagnostics, *p->address_place, reason, "nothing can be published at '%s'", text);
	return false;
}

/* "8080:80", "ADDRESS:8080:80" */
static bool read_ports(struct publish *p)
{
	const char *close = p->text[0] == '[' ? memchr(p->text, ']', (size_t)(p->end - p->text)) : NULL;
	const char *from = close ? close + 1 : p->text;
	const char *colon = find_last(from, p->end, ':'), *before = colon ? find_last(from, colon, ':') : NULL;
	const char *host = before ? before + 1 : p->text;

	if (!colon || (close && before != close + 1)) {
		wr_diagnose(p->r->diagnostics, wr_nf_cursor_place(&p->cursor, p->text), HOW,
			    "'%s' does not name a port of the host and a port inside", p->text);
		return false;
	}
	p->ret->place = wr_nf_cursor_place(&p->cursor, host);
	if (memchr(host, '-', (size_t)(p->end - host))) {
		wr_diagnose(p->r->diagnostics, p->ret->place, "publish each by itself",
			    "a range of ports cannot be published: '%s'", p->text);
		return false;
	}
	if (before && !read_address(p, before))
		return false;
	return wr_nf_port(p->r, &p->cursor, host, (size_t)(colon - host), "host port", &p->ret->host_port) &&
	       wr_nf_port(p->r, &p->cursor, colon + 1, (size_t)(p->end - colon - 1), "port inside", &p->ret->port);
}

static bool read_one(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
		     struct wr_publish *ret, struct wr_place *address_place)
{
	struct publish p = {.r = r, .ret = ret, .address_place = address_place};

	item = wr_nf_follow(item);
	if (item->kind == WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(item), HOW, "%s must be a text, not a mapping",
			    wr_nf_subject(r, entry));
		return false;
	}
	p.text = wr_nf_text(r, item, entry);
	if (!p.text)
		return false;
	p.end = p.text + strlen(p.text);
	wr_nf_cursor_begin(&p.cursor, item, p.text);
	if (!cut_interface(&p) || !cut_protocol(&p) || !read_ports(&p))
		return false;
	if (ret->in && ret->host.family) {
		wr_diagnose(r->diagnostics, *address_place, NULL,
			    "'%s' has an address and an interface of the host: only one of them can be", p.text);
		return false;
	}
	return true;
}

void wr_nf_read_publish(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;
	size_t count = wr_nf_item_count(entry->value);
	struct wr_nf_extra *extra;

	if (!count || !wr_nf_count(r, entry->value, count))
		return;
	extra = wr_nf_extra_of(r->arena, ns);
	ns->ns->publishes = wr_nf_alloc(r, count * sizeof *ns->ns->publishes);
	if (!extra || !ns->ns->publishes) {
		r->out_of_memory = true;
		return;
	}
	extra->publish_places = wr_nf_alloc(r, count * sizeof *extra->publish_places);
	if (!extra->publish_places)
		return;
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item && !r->out_of_memory;
	     item = wr_nf_next_item(entry->value, item)) {
		struct wr_publish publish = {0};
		struct wr_place place = {0};

		if (!read_one(r, item, entry, &publish, &place))
			continue;
		extra->publish_places[ns->ns->n_publishes] = place;
		ns->ns->publishes[ns->ns->n_publishes++] = publish;
	}
}
