/* reader.h: from nodes to values, with a message for whatever is wrong. Private to file/.
 *
 * Why:       each property of the file is one row of a table: its name and the function that reads it.
 * Shape:     a wr_nf_reader carries the model, the arenas and the messages; a wr_nf_context says in which object something
 *            stands, and is put into words only for a message.
 * Errors:    readers of values return false after a message. Running out of memory sets out_of_memory and is returned
 *            once, at the end; so do `stop`s after a bound was exceeded. */
#pragma once

#include "base/map.h"
#include "file/netfile.h"
#include "file/pending.h"
#include "file/yaml.h"

struct wr_nf_reader {
	struct wr_arena *arena;	  /* the model's */
	struct wr_arena *scratch; /* gone when wr_netfile_load returns */
	struct wr_model *model;
	struct wr_nf_pending *pending;
	struct wr_diagnostics *diagnostics;
	size_t things; /* counted against WR_NETFILE_THINGS_MAX */
	bool in_range; /* $n means something, */
	uint64_t n;    /* namely this */
	bool stop, out_of_memory;
};

/* Where something stands: "interface 'eth0' of namespace 'web'". name NULL: the kind alone; kind NULL: the top of the file. */
struct wr_nf_context {
	const char *kind, *name;
	const struct wr_nf_context *parent;
};

/* A key and its value, as the function of a row gets them. */
struct wr_nf_entry {
	const struct wr_nf_node *key, *value; /* value: aliases followed */
	const struct wr_nf_context *context;
};

typedef void wr_nf_key_reader(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry);

struct wr_nf_key {
	const char *name; /* NULL ends a table */
	wr_nf_key_reader *read;
};

/* --- reader.c ------------------------------------------------------------------------------------------------------ */

/* Reads a mapping by a table. Null is an empty mapping. False: it is none, which was said. */
bool wr_nf_read_mapping(struct wr_nf_reader *r, const struct wr_nf_node *node, const struct wr_nf_key *table,
			void *object, const struct wr_nf_context *context);
/* The row of a key that a later version will know. */
wr_nf_key_reader wr_nf_refuse;
/* "interface 'eth0' of namespace 'web'"; "the file" at the top. For messages. */
const char *wr_nf_where(struct wr_nf_reader *r, const struct wr_nf_context *context);
/* "'mtu' of interface 'eth0'…": the subject of a message about an entry. */
const char *wr_nf_subject(struct wr_nf_reader *r, const struct wr_nf_entry *entry);
/* "did you mean 'NEAREST'?", or NULL. names ends with NULL. */
const char *wr_nf_suggest(struct wr_nf_reader *r, const char *word, const char *const *names);
/* The same for the names of all bridges. */
const char *wr_nf_suggest_bridge(struct wr_nf_reader *r, const char *word);
/* Counts things against the limit. False: too many, which was said. */
bool wr_nf_count(struct wr_nf_reader *r, const struct wr_nf_node *node, size_t number);
void *wr_nf_alloc(struct wr_nf_reader *r, size_t size); /* from the model's arena; NULL: out of memory, noted */

/* The text of a scalar with $n put in; NULL: none, which was said. */
const char *wr_nf_text(struct wr_nf_reader *r, const struct wr_nf_node *node, const struct wr_nf_entry *entry);
bool wr_nf_boolean(struct wr_nf_reader *r, const struct wr_nf_entry *entry, bool *ret);
/* what: "a number of seconds from 2 to 30"; NULL: "a number from LEAST to MOST". */
bool wr_nf_number(struct wr_nf_reader *r, const struct wr_nf_entry *entry, const char *what, uint64_t least,
		  uint64_t most, uint64_t *ret);
bool wr_nf_mac(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_mac *ret);
bool wr_nf_ifname(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *name);
/* An address, with or without a length, or a reference. item is entry's value or one of its items. */
bool wr_nf_value(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
		 struct wr_nf_value *ret);
/* The same without references, and only an address without a length. */
bool wr_nf_ip(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
	      struct wr_ip *ret);
/* A list, or one that is written without its brackets: the items of a sequence, else the node itself; null: nothing.
 * for (item = wr_nf_first_item(list); item; item = wr_nf_next_item(list, item)); items must be followed. */
const struct wr_nf_node *wr_nf_first_item(const struct wr_nf_node *list);
const struct wr_nf_node *wr_nf_next_item(const struct wr_nf_node *list, const struct wr_nf_node *item);
size_t wr_nf_item_count(const struct wr_nf_node *list);

/* --- expand.c ------------------------------------------------------------------------------------------------------ */

/* "app[1-3]" is before "app", first 1, last 3, after "". Not a range: is_range false, before is all. */
struct wr_nf_range {
	bool is_range;
	const char *before, *after;
	uint64_t first, last;
};

/* False: a bad range, which was said. */
bool wr_nf_range_read(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *text, struct wr_nf_range *ret);
/* The name for number n; NULL: out of memory, noted. */
const char *wr_nf_range_name(struct wr_nf_reader *r, const struct wr_nf_range *range, uint64_t n);
/* Puts $n, $(n+20) into a text; $(edge.eth1) stays. NULL: not possible, which was said. */
const char *wr_nf_expand(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *text);

/* --- cursor.c: places inside a scalar ------------------------------------------------------------------------------- */

/* A text that was read from a scalar, and where its characters stand in the file. */
struct wr_nf_cursor {
	const char *text, *at;	      /* at: the character that place is of */
	const char *end;	      /* up to here the text is what stands in the file */
	struct wr_place start, place; /* of the scalar, and of at */
};

/* text: what wr_nf_text made of the node. */
void wr_nf_cursor_begin(struct wr_nf_cursor *cursor, const struct wr_nf_node *node, const char *text);
/* The place of a character of the text; behind an escape, a fold or a $n, whose columns say nothing, that of the scalar. Cheap
 * when asked from left to right. */
struct wr_place wr_nf_cursor_place(struct wr_nf_cursor *cursor, const char *at);
/* A port number; false: none, which was said at its place. what: "host port", or NULL: "port". */
bool wr_nf_port(struct wr_nf_reader *r, struct wr_nf_cursor *cursor, const char *digits, size_t length,
		const char *what, uint16_t *ret);

/* --- one file for each kind of object ------------------------------------------------------------------------------ */

void wr_nf_read_bridges(struct wr_nf_reader *r, const struct wr_nf_node *node);
void wr_nf_read_namespaces(struct wr_nf_reader *r, const struct wr_nf_node *node);
void wr_nf_read_links(struct wr_nf_reader *r, const struct wr_nf_node *node);
/* The value of `interfaces`, `lo`, `routes`, `rules`, `neighbours`, `hosts`, `dns`: rows of the namespace's table. */
wr_nf_key_reader wr_nf_read_interfaces, wr_nf_read_lo, wr_nf_read_routes, wr_nf_read_rules, wr_nf_read_neighbours,
	wr_nf_read_hosts, wr_nf_read_dns, wr_nf_read_nat, wr_nf_read_publish, wr_nf_read_firewall;
/* `nat:` of a bridge: *ret is NULL where it is false. */
void wr_nf_read_bridge_nat(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_nat **ret);
/* "tcp 80 443 from web": what is said where and to whom; names are looked up by wr_nf_assign_traffic. item is entry's value or one
 * of its items. False: it does not parse, which was said. */
bool wr_nf_phrase(struct wr_nf_reader *r, const struct wr_nf_node *item, const struct wr_nf_entry *entry,
		  struct wr_phrase *ret);
/* `address:` of interface, and an item of a cable's `addresses:`. */
void wr_nf_read_addresses(struct wr_nf_reader *r, struct wr_nf_interface *interface, const struct wr_nf_node *list,
			  const struct wr_nf_entry *entry);
/* `sysctl:`; interface NULL: of the namespace. Remembered, and set when all interfaces are known. */
void wr_nf_read_sysctls(struct wr_nf_reader *r, struct wr_nf_ns *ns, struct wr_nf_interface *interface,
			const struct wr_nf_entry *entry);
/* A namespace that is not there yet, with its lo; NULL: out of memory, noted. */
struct wr_nf_ns *wr_nf_new_ns(struct wr_nf_reader *r, const char *name, struct wr_place place);
/* An interface that is not there yet; NULL: refused, which was said, or out of memory. */
struct wr_nf_interface *wr_nf_new_interface(struct wr_nf_reader *r, struct wr_nf_ns *ns, const char *name,
					    const struct wr_nf_node *node);
/* What must wait until everything is read: gateways, sysctls, interfaces without a cable. */
void wr_nf_finish(struct wr_nf_reader *r);

/* --- build.c: the kernel's side, each part made as soon as it is read completely ----------------------------------- */

void wr_nf_build_ns(struct wr_nf_reader *r, struct wr_ns *ns);
void wr_nf_build_bridge(struct wr_nf_reader *r, struct wr_nf_bridge *bridge);
void wr_nf_build_port(struct wr_nf_reader *r, struct wr_nf_interface *interface); /* and the interface itself */
void wr_nf_build_cable(struct wr_nf_reader *r, struct wr_nf_interface *ends[2]);  /* and the interfaces at its ends */
/* No two things with one name in one namespace of the kernel. */
void wr_nf_check_names(struct wr_nf_reader *r);

/* --- shared by bridges and namespaces (read_named.c) --------------------------------------------------------------- */

typedef void wr_nf_named_reader(struct wr_nf_reader *r, const char *name, const struct wr_nf_node *key,
				const struct wr_nf_node *value);
/* Reads a mapping from names, ranges among them, to objects. What is wrong in one of a range is said once. names: the map
 * that the objects go into, which is made large enough at once. */
void wr_nf_read_named(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *what, struct wr_map *names,
		      wr_nf_named_reader *reader);
/* Whether a name is legal and free. what: "bridge", "namespace". False: not, which was said. */
bool wr_nf_name(struct wr_nf_reader *r, const struct wr_nf_node *key, const char *what, const char *name);
/* "network address", "broadcast address", "subnet-router anycast address". */
const char *wr_nf_reserved_name(const struct wr_prefix *prefix, const struct wr_ip *ip);
