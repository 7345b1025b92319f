/* steps.c: the words of each kind of step, without sign and reason: one function for each row of WR_STEPS.
 *
 * Theory: an object that comes or goes is named as a whole ("link lan—web:eth0"); a value that changes is named with both
 * values and where ("mtu 1500 → 1400 on web:eth1"). What was there before is printed only where it is known. A kind without
 * a function here does not build. */

#include <string.h>

#include "base/text.h"
#include "model/nft.h"
#include "plan/steps.h"
#include "plan/words.h"

#define ARROW " → "

static void add_in_ns(struct wr_text *text, const struct wr_step *step)
{
	wr_text_add(text, " in ");
	wr_words_ns(text, step->ns);
}

static void add_on_link(struct wr_text *text, const struct wr_step *step)
{
	wr_text_add(text, " on ");
	wr_words_link(text, step->link);
}

static void add_int(struct wr_text *text, int number)
{
	if (number < 0)
		wr_text_add_char(text, '-');
	wr_text_add_uint(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void words_mend_pin(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "stale pin ");
	wr_words_name(text, step->ns->pin);
}

static void words_add_ns(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "namespace ");
	wr_words_ns(text, step->ns);
}

static void words_adopt_ns(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "mark of namespace ");
	wr_words_ns(text, step->ns);
}

static void words_set_conf(const struct wr_step *step, struct wr_text *text)
{
	wr_words_conf_key(text, step);
	wr_text_add_char(text, ' ');
	if (step->old_conf != WR_CONF_UNSET) {
		add_int(text, step->old_conf);
		wr_text_add(text, ARROW);
	} else {
		wr_text_add(text, "= ");
	}
	add_int(text, wr_step_conf_value(step));
	add_in_ns(text, step);
}

/* "table inet warren-shop in host", and how much of it. */
static void words_set_filter(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "filter ");
	wr_text_add(text, wr_nft_family_name(step->table->family));
	wr_text_add_char(text, ' ');
	wr_words_name(text, step->table->name);
	add_in_ns(text, step);
	if (step->kind == WR_STEP_set_filter)
		wr_words_delta(text, step->delta);
}

static void words_del_filter(const struct wr_step *step, struct wr_text *text)
{
	words_set_filter(step, text);
}

static void add_borrow(const struct wr_step *step, struct wr_text *text, int from, int to)
{
	char key[80];

	wr_words_name(text, wr_conf_key((enum wr_conf_id)step->borrow->conf, step->borrow->scope, key));
	wr_text_add_char(text, ' ');
	if (from != to) {
		add_int(text, from);
		wr_text_add(text, ARROW);
	}
	add_int(text, to);
	add_in_ns(text, step);
}

static void words_borrow_conf(const struct wr_step *step, struct wr_text *text)
{
	add_borrow(step, text, step->borrow->before, step->borrow->value);
}

static void words_return_conf(const struct wr_step *step, struct wr_text *text)
{
	bool returned = wr_borrow_is_returnable(step->borrow);

	if (!returned)
		wr_text_add(text, "note of ");
	if (step->borrow->value == WR_CONF_UNSET) {
		char key[80];

		wr_words_name(text, wr_conf_key((enum wr_conf_id)step->borrow->conf, step->borrow->scope, key));
		add_in_ns(text, step);
		return;
	}
	add_borrow(step, text, step->borrow->value, returned ? step->borrow->before : step->borrow->value);
}

static void words_open_chain(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_opening *opening = step->opening;

	wr_text_add(text, "opening in chain ");
	wr_words_name(text, opening->chain);
	wr_text_add(text, " of table ");
	wr_text_add(text, wr_nft_family_name(opening->family));
	wr_text_add_char(text, ' ');
	wr_words_name(text, opening->table);
	if (opening->iif != NULL) {
		wr_text_add(text, " from ");
		wr_words_name(text, opening->iif);
	}
	if (opening->oif != NULL) {
		wr_text_add(text, " to ");
		wr_words_name(text, opening->oif);
	}
}

static void words_close_chain(const struct wr_step *step, struct wr_text *text)
{
	words_open_chain(step, text);
}

static void words_set_sysctl(const struct wr_step *step, struct wr_text *text)
{
	wr_words_name(text, step->sysctl->key);
	wr_text_add_char(text, ' ');
	if (step->old_value != NULL) {
		wr_words_name(text, step->old_value);
		wr_text_add(text, ARROW);
	} else {
		wr_text_add(text, "= ");
	}
	wr_words_name(text, step->sysctl->value);
	add_in_ns(text, step);
}

static void words_write_hosts(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "names of the network, for its namespaces");
}

static void words_link_file(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "names " WR_WORDS_ETC_NETNS "/");
	wr_words_name(text, step->ns->pin);
	wr_text_add_char(text, '/');
	wr_text_add(text, wr_step_file_name(step));
}

static void words_add_bridge(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "bridge ");
	wr_words_link(text, step->link);
}

static void words_add_cable(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "link ");
	wr_words_cable(text, step->link);
}

static void words_mark_link(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "mark");
	add_on_link(text, step);
}

static void words_set_mac(const struct wr_step *step, struct wr_text *text)
{
	char buffer[WR_MAC_TEXT_MAX];

	wr_text_add(text, "mac ");
	if (step->old_link != NULL && step->old_link->mac_set) {
		wr_text_add(text, wr_mac_format(&step->old_link->mac, buffer));
		wr_text_add(text, ARROW);
	}
	wr_text_add(text, wr_mac_format(&step->link->mac, buffer));
	add_on_link(text, step);
}

static void words_set_mtu(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "mtu ");
	if (step->old_link != NULL && step->old_link->mtu != 0) {
		wr_text_add_uint(text, step->old_link->mtu);
		wr_text_add(text, ARROW);
	}
	wr_text_add_uint(text, step->link->mtu);
	add_on_link(text, step);
}

static void words_set_master(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_link *before = step->old_link != NULL ? step->old_link->master : NULL;
	const struct wr_link *after = step->link->master;

	wr_text_add(text, "port ");
	wr_words_name(text, before != NULL ? before->name : "none");
	wr_text_add(text, ARROW);
	wr_words_name(text, after != NULL ? after->name : "none");
	wr_text_add(text, " of ");
	wr_words_link(text, step->link->peer != NULL ? step->link->peer : step->link);
}

static void words_move_port(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "end of ");
	wr_words_link(text, step->link->peer != NULL ? step->link->peer : step->link);
	wr_text_add(text, "'s cable ");
	wr_words_name(text, step->old_link != NULL ? step->old_link->ns->name : "?");
	wr_text_add(text, ARROW);
	wr_words_name(text, step->link->ns->name);
}

static void words_set_isolated(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, step->link->isolated ? "isolated no" ARROW "yes" : "isolated yes" ARROW "no");
	add_on_link(text, step);
}

/* " NAME BEFORE → AFTER", after a comma where *first is not true any more. */
static void add_option(struct wr_text *text, bool *first, const char *name, const int values[2])
{
	if (values[1] < 0 || values[1] == values[0])
		return;
	wr_text_add(text, *first ? " " : ", ");
	*first = false;
	wr_text_add(text, name);
	wr_text_add_char(text, ' ');
	if (values[0] >= 0) {
		add_int(text, values[0]);
		wr_text_add(text, ARROW);
	}
	add_int(text, values[1]);
}

static void words_set_bridge(const struct wr_step *step, struct wr_text *text)
{
	static const struct wr_bridge_options unset = {-1, -1, -1, -1, -1, -1};
	const struct wr_bridge_options *after = step->link->bridge != NULL ? step->link->bridge : &unset;
	const struct wr_bridge_options *before =
		step->old_link != NULL && step->old_link->bridge != NULL ? step->old_link->bridge : &unset;
	bool first = true;

	wr_text_add(text, "options");
	add_option(text, &first, "stp", (const int[]){before->stp, after->stp});
	add_option(text, &first, "forward_delay", (const int[]){before->forward_delay, after->forward_delay});
	add_option(text, &first, "ageing", (const int[]){before->ageing, after->ageing});
	add_option(text, &first, "group_fwd_mask", (const int[]){before->group_fwd_mask, after->group_fwd_mask});
	add_option(text, &first, "mcast_snooping", (const int[]){before->mcast_snooping, after->mcast_snooping});
	add_option(text, &first, "linklocal_learn", (const int[]){before->linklocal_learn, after->linklocal_learn});
	add_on_link(text, step);
}

static void words_add_address(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "address ");
	wr_words_prefix(text, &step->address->prefix);
	add_on_link(text, step);
}

static void words_mark_address(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "mark of address ");
	wr_words_prefix(text, &step->address->prefix);
	add_on_link(text, step);
}

static void words_set_up(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "up ");
	wr_words_link(text, step->link);
}

static void words_set_down(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "down ");
	wr_words_link(text, step->link);
}

static void words_add_route(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "route ");
	wr_words_route_to(text, step->route);
	wr_words_route_how(text, step->route);
	add_in_ns(text, step);
}

static void words_change_route(const struct wr_step *step, struct wr_text *text)
{
	size_t before, middle, length;

	wr_text_add(text, "route ");
	wr_words_route_to(text, step->route);
	if (step->old_route != NULL) {
		before = text->length;
		wr_words_route_how(text, step->old_route);
		length = text->length - before;
		wr_text_add(text, " →");
		middle = text->length;
		wr_words_route_how(text, step->route);
		/* What changes may be something that these words leave out (the protocol): then they are said once. */
		if (wr_text_error(text) == 0 && text->length - middle == length &&
		    memcmp(text->bytes + before, text->bytes + middle, length) == 0) {
			text->length = before + length;
			text->bytes[text->length] = '\0';
		}
	} else {
		wr_words_route_how(text, step->route);
	}
	add_in_ns(text, step);
}

static void words_add_rule(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "rule ");
	wr_words_rule(text, step->rule);
	add_in_ns(text, step);
}

static void words_add_neighbour(const struct wr_step *step, struct wr_text *text)
{
	char buffer[WR_MAC_TEXT_MAX];

	wr_text_add(text, "neighbour ");
	wr_words_ip(text, &step->neighbour->ip);
	wr_text_add(text, " at ");
	wr_text_add(text, wr_mac_format(&step->neighbour->mac, buffer));
	wr_text_add(text, " on ");
	wr_words_ns(text, step->ns);
	wr_text_add_char(text, ':');
	wr_words_name(text, step->neighbour->dev);
}

static void words_del_neighbour(const struct wr_step *step, struct wr_text *text)
{
	words_add_neighbour(step, text);
}

static void words_del_rule(const struct wr_step *step, struct wr_text *text)
{
	words_add_rule(step, text);
}

static void words_del_route(const struct wr_step *step, struct wr_text *text)
{
	words_add_route(step, text);
}

static void words_del_address(const struct wr_step *step, struct wr_text *text)
{
	words_add_address(step, text);
}

static void words_del_link(const struct wr_step *step, struct wr_text *text)
{
	if (step->link->kind == WR_LINK_BRIDGE)
		words_add_bridge(step, text);
	else
		words_add_cable(step, text);
}

static void words_del_ns(const struct wr_step *step, struct wr_text *text)
{
	words_add_ns(step, text);
}

static void words_unlink_file(const struct wr_step *step, struct wr_text *text)
{
	words_link_file(step, text);
}

static void words_remove_hosts(const struct wr_step *step, struct wr_text *text)
{
	words_write_hosts(step, text);
}

typedef void (*words_function)(const struct wr_step *step, struct wr_text *text);

static const words_function words[WR_STEP_COUNT_] = {
#define X(kind, name, about) [WR_STEP_##kind] = words_##kind,
	WR_STEPS(X)
#undef X
};

void wr_step_words(const struct wr_step *step, struct wr_text *text)
{
	words[step->kind](step, text);
}
