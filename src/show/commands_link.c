/* commands_link.c: the steps about links as commands for a POSIX shell. See commands.c.
 *
 * Theory: a cable is made with both ends where they belong: the command runs in the namespace of one end and names the
 * other's with `netns`. An end in the host can only be made from the host, which has no name, so that end leads. An alias
 * in the creating message is ignored by the kernel: it is set right behind.
 *
 * A bridge whose MTU was not set after its creation takes the smallest of its ports'. So a written MTU is set, and since
 * setting the value that is there already does nothing, the bridge is created with another one. */
#include "plan/steps.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "show/commands.h"
#include "plan/words.h"

/* ip(8) takes the times of a bridge in hundredths of a second. */
#define TICKS_PER_SECOND 100

static void begin_set(struct wr_text *text, const struct wr_link *link)
{
	wr_command_ip(text, link->ns);
	wr_text_add(text, "link set dev ");
	wr_text_add_shell(text, link->ifname);
}

static void add_mac(struct wr_text *text, const struct wr_link *link)
{
	char buffer[WR_MAC_TEXT_MAX];

	if (link->mac_set)
		wr_command_word(text, "address", wr_mac_format(&link->mac, buffer));
}

/* What one end of a cable is made with. */
static void add_end(struct wr_text *text, const struct wr_link *link)
{
	add_mac(text, link);
	if (link->mtu != 0)
		wr_command_number(text, "mtu", link->mtu);
	wr_text_add(text, " numtxqueues 1 numrxqueues 1");
	if (link->group != 0)
		wr_command_number(text, "group", link->group);
}

static void add_altname(struct wr_text *text, const struct wr_link *link)
{
	wr_command_ip(text, link->ns);
	wr_text_add(text, "link property add");
	wr_command_word(text, "dev", link->ifname);
	wr_command_word(text, "altname", link->altname);
	wr_text_add_char(text, '\n');
}

static void add_isolated(struct wr_text *text, const struct wr_link *link)
{
	wr_text_add(text, "bridge ");
	if (!link->ns->is_host) {
		wr_text_add(text, "-n ");
		wr_text_add_shell(text, link->ns->pin);
		wr_text_add_char(text, ' ');
	}
	wr_text_add(text, "link set");
	wr_command_word(text, "dev", link->ifname);
	wr_text_add(text, link->isolated ? " isolated on\n" : " isolated off\n");
}

/* The mark and the bridge of a cable's end that was just made. */
static void finish_end(struct wr_text *text, const struct wr_link *link)
{
	if (link->alias != NULL || link->master != NULL) {
		begin_set(text, link);
		if (link->alias != NULL)
			wr_command_word(text, "alias", link->alias);
		if (link->master != NULL)
			wr_command_word(text, "master", link->master->ifname);
		wr_text_add_char(text, '\n');
	}
	if (link->altname != NULL)
		add_altname(text, link);
}

void wr_command_add_cable(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_link *link = step->link, *peer = link->peer;

	if (peer->ns->is_host) {
		peer = link;
		link = step->link->peer;
	}
	wr_command_ip(text, link->ns);
	wr_text_add(text, "link add");
	wr_command_word(text, "name", link->ifname);
	add_end(text, link);
	wr_text_add(text, " type veth peer");
	wr_command_word(text, "name", peer->ifname);
	if (peer->ns != link->ns)
		wr_command_word(text, "netns", peer->ns->pin);
	add_end(text, peer);
	wr_text_add_char(text, '\n');
	finish_end(text, link);
	finish_end(text, peer);
}

/* Those options that are wanted and not what `before` (NULL: nothing) has. */
static void add_bridge_options(struct wr_text *text, const struct wr_bridge_options *after,
			       const struct wr_bridge_options *before)
{
	static const struct wr_bridge_options unset = {-1, -1, -1, -1, -1, 1};

	if (after == NULL)
		return;
	if (before == NULL)
		before = &unset;
	if (after->stp >= 0 && after->stp != before->stp)
		wr_command_number(text, "stp_state", after->stp);
	if (after->forward_delay >= 0 && after->forward_delay != before->forward_delay)
		wr_command_number(text, "forward_delay", (uint64_t)after->forward_delay * TICKS_PER_SECOND);
	if (after->ageing >= 0 && after->ageing != before->ageing)
		wr_command_number(text, "ageing_time", (uint64_t)after->ageing * TICKS_PER_SECOND);
	if (after->group_fwd_mask >= 0 && after->group_fwd_mask != before->group_fwd_mask)
		wr_command_number(text, "group_fwd_mask", after->group_fwd_mask);
	if (after->mcast_snooping >= 0 && after->mcast_snooping != before->mcast_snooping)
		wr_command_number(text, "mcast_snooping", after->mcast_snooping);
	if (after->linklocal_learn >= 0 && after->linklocal_learn != before->linklocal_learn)
		wr_command_number(text, "no_linklocal_learn", !after->linklocal_learn);
}

void wr_command_add_bridge(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_link *link = step->link;

	wr_command_ip(text, link->ns);
	wr_text_add(text, "link add");
	wr_command_word(text, "name", link->ifname);
	add_mac(text, link);
	if (link->mtu != 0)
		wr_command_number(text, "mtu", link->mtu == 1500 ? 1501 : 1500);
	if (link->group != 0)
		wr_command_number(text, "group", link->group);
	wr_text_add(text, " type bridge");
	add_bridge_options(text, link->bridge, NULL);
	wr_text_add_char(text, '\n');
	if (link->alias != NULL || link->mtu != 0) {
		begin_set(text, link);
		if (link->mtu != 0)
			wr_command_number(text, "mtu", link->mtu);
		if (link->alias != NULL)
			wr_command_word(text, "alias", link->alias);
		wr_text_add_char(text, '\n');
	}
	if (link->altname != NULL)
		add_altname(text, link);
}

static bool differs(const char *wanted, const char *live)
{
	return wanted != NULL && (live == NULL || strcmp(wanted, live) != 0);
}

/* For a link that this plan makes everything was said at its creation; saying the alias again does no harm, saying the
 * altname again would be an error. */
void wr_command_mark_link(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_link *link = step->link, *old = step->old_link;

	if (differs(link->alias, old != NULL ? old->alias : NULL) || (old != NULL && link->group != old->group)) {
		begin_set(text, link);
		if (link->alias != NULL)
			wr_command_word(text, "alias", link->alias);
		if (old != NULL && link->group != old->group)
			wr_command_number(text, "group", link->group);
		wr_text_add_char(text, '\n');
	}
	if (old != NULL && differs(link->altname, old->altname))
		add_altname(text, link);
}

void wr_command_set_mac(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	add_mac(text, step->link);
	wr_text_add_char(text, '\n');
}

void wr_command_set_mtu(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	wr_command_number(text, "mtu", step->link->mtu);
	wr_text_add_char(text, '\n');
}

void wr_command_set_master(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	if (step->link->master != NULL)
		wr_command_word(text, "master", step->link->master->ifname);
	else
		wr_text_add(text, " nomaster");
	wr_text_add_char(text, '\n');
}

void wr_command_move_port(const struct wr_step *step, struct wr_text *text)
{
	if (step->old_link == NULL)
		return;
	begin_set(text, step->old_link);
	wr_command_word(text, "netns", step->ns->is_host ? "1" : step->ns->pin);
	wr_command_word(text, "name", step->link->ifname);
	wr_text_add_char(text, '\n');
}

void wr_command_set_isolated(const struct wr_step *step, struct wr_text *text)
{
	add_isolated(text, step->link);
}

void wr_command_set_bridge(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	wr_text_add(text, " type bridge");
	add_bridge_options(text, step->link->bridge, step->old_link != NULL ? step->old_link->bridge : NULL);
	wr_text_add_char(text, '\n');
}

void wr_command_set_up(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	wr_text_add(text, " up\n");
}

void wr_command_set_down(const struct wr_step *step, struct wr_text *text)
{
	begin_set(text, step->link);
	wr_text_add(text, " down\n");
}

void wr_command_del_link(const struct wr_step *step, struct wr_text *text)
{
	wr_command_ip(text, step->ns);
	wr_text_add(text, "link del");
	wr_command_word(text, "dev", step->link->ifname);
	wr_text_add_char(text, '\n');
}
