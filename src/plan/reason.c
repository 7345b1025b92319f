/* Why each step is in the plan: one function for each kind. A few words, static: a plan has up to a million steps. */
#include "plan/internal.h"

#include <linux/rtnetlink.h>

#define WR_REASON(name)                                                                                                \
	static const char *wr_reason_##name(const struct wr_step *step, const struct wr_planner *planner)

WR_REASON(mend_pin)
{
	(void)step, (void)planner;
	return "a file of that name is no namespace";
}

WR_REASON(add_ns)
{
	(void)planner;
	return step->ns->is_bridge ? "holds a bridge that this machine does not join" : "not there";
}

WR_REASON(adopt_ns)
{
	(void)planner;
	return step->ns->match && !step->ns->match->alias ? "its mark is gone" : "lo is down";
}

WR_REASON(set_conf)
{
	(void)planner;
	return wr_conf_rows[step->conf].meaning;
}

WR_REASON(set_filter)
{
	(void)planner;
	return step->sign == WR_STEP_ADD ? "not there" : "not as the file says";
}

WR_REASON(del_filter)
{
	(void)planner;
	(void)step;
	return "not in the file any more";
}

WR_REASON(borrow_conf)
{
	if (wr_planner_host_value(planner->live, step->borrow) == step->borrow->value)
		return "what it was before is not noted any more";
	if (step->borrow->conf == WR_CONF_V6_ACCEPT_RA)
		return "this machine forwards, and keeps its own autoconfiguration";
	return "traffic of the network passes here";
}

WR_REASON(return_conf)
{
	(void)planner;
	if (wr_borrow_is_returnable(step->borrow))
		return "as it was before the network";
	if (step->borrow->value == WR_CONF_UNSET)
		return "the interface is gone";
	if (step->borrow->general)
		return "switched on for all interfaces meanwhile";
	return step->borrow->shared ? "another network needs it" : "somebody changed it since";
}

WR_REASON(open_chain)
{
	(void)planner;
	(void)step;
	return "this chain would drop the network's traffic";
}

WR_REASON(close_chain)
{
	(void)planner;
	(void)step;
	return "not needed any more";
}

WR_REASON(set_sysctl)
{
	(void)planner;
	if (!step->sysctl->place.line)
		return "not in the file any more";
	return step->old_value ? "the file says so" : "the file says so; not readable before";
}

WR_REASON(write_hosts)
{
	(void)planner;
	return step->sign == WR_STEP_ADD ? "names resolve inside" : "names or addresses changed";
}

WR_REASON(link_file)
{
	(void)planner;
	if (step->scope == WR_FILE_HOSTS)
		return "names resolve inside";
	return step->ns->has_dns ? "`dns` of the file" : "this machine's resolver is not reachable from inside";
}

WR_REASON(add_bridge)
{
	(void)step, (void)planner;
	return "not there";
}

WR_REASON(add_cable)
{
	(void)planner;
	return step->link->master ? "plugged into the bridge" : "a cable of the file";
}

WR_REASON(move_port)
{
	(void)step, (void)planner;
	return "moves to another bridge";
}

WR_REASON(mark_link)
{
	(void)planner;
	return step->sign == WR_STEP_ADD ? "says whose it is" : "its mark is not as it was";
}

WR_REASON(set_mac)
{
	(void)planner;
	return step->link->mac_written ? "the file says so" : "derived from its name";
}

WR_REASON(set_mtu)
{
	(void)step, (void)planner;
	return "the file says so";
}

WR_REASON(set_master)
{
	(void)planner;
	if (!step->link->master)
		return "no port any more";
	return step->old_link && step->old_link->master ? "moves to another bridge" : "was unplugged";
}

WR_REASON(set_isolated)
{
	(void)step, (void)planner;
	return "the file says so";
}

WR_REASON(set_bridge)
{
	(void)step, (void)planner;
	return "`options` of the file";
}

WR_REASON(add_address)
{
	(void)planner;
	return step->address->handed_out ? "handed out from its subnet" : "written in the file";
}

WR_REASON(mark_address)
{
	(void)step, (void)planner;
	return "it does not carry warren's mark";
}

WR_REASON(set_up)
{
	(void)planner;
	return step->link->match ? "was down" : "new";
}

WR_REASON(set_down)
{
	(void)step, (void)planner;
	return "`up: false`";
}

WR_REASON(add_route)
{
	(void)planner;
	return step->route->is_default_route ? "the bridge's gateway" : "written in the file";
}

WR_REASON(change_route)
{
	(void)planner;
	return step->old_route && step->old_route->protocol != WR_PROTOCOL ? "it does not carry warren's mark"
									   : "another way";
}

WR_REASON(add_rule)
{
	(void)step, (void)planner;
	return "written in the file";
}

WR_REASON(add_neighbour)
{
	(void)step, (void)planner;
	return "written in the file";
}

static const char *wr_reason_gone(const struct wr_step *step)
{
	return step->early ? "in the way of what is wanted" : "not in the file any more";
}

WR_REASON(del_neighbour)
{
	(void)planner;
	return wr_reason_gone(step);
}

WR_REASON(del_rule)
{
	(void)planner;
	return wr_reason_gone(step);
}

WR_REASON(del_route)
{
	(void)planner;
	return wr_reason_gone(step);
}

WR_REASON(del_address)
{
	(void)planner;
	return step->early ? "it moves to another interface" : "not in the file any more";
}

static const char *wr_reason_removal(const struct wr_planner *planner, const struct wr_step *step)
{
	return planner->wanted->n_ns <= 1 ? "the network goes" : wr_reason_gone(step);
}

WR_REASON(del_link)
{
	return wr_reason_removal(planner, step);
}

WR_REASON(del_ns)
{
	return wr_reason_removal(planner, step);
}

WR_REASON(unlink_file)
{
	return wr_reason_removal(planner, step);
}

WR_REASON(remove_hosts)
{
	return wr_reason_removal(planner, step);
}

const char *wr_planner_reason(const struct wr_step *step, const struct wr_planner *planner)
{
	static const char *(*const reasons[WR_STEP_COUNT_])(const struct wr_step *, const struct wr_planner *) = {
#define X(name, text, about) [WR_STEP_##name] = wr_reason_##name,
		WR_STEPS(X)
#undef X
	};

	return reasons[step->kind](step, planner);
}
