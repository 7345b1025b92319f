/* json.c: plans, status and the list of pins as JSON.
 *
 * Theory: a step has the same members as every other step, and behind them those that its kind is about; a table says what
 * each kind is about, and another which member changes for the kinds that change one. Each step is a line of its own. */
#include "show/show.h"

#include "base/text.h"
#include "live/live.h"
#include "model/nft.h"
#include "show/json.h"
#include "show/nft.h"
#include "plan/steps.h"
#include "plan/words.h"

enum about {
	ABOUT_NS,
	ABOUT_LINK,
	ABOUT_ADDRESS,
	ABOUT_ROUTE,
	ABOUT_RULE,
	ABOUT_NEIGHBOUR,
	ABOUT_CONF,
	ABOUT_SYSCTL,
	ABOUT_FILE,
	ABOUT_FILTER,
	ABOUT_BORROW,
	ABOUT_OPENING,
};

struct step_row {
	const char *kind;   /* "add_cable" */
	const char *object; /* "link" */
	enum about about;
};

static const struct step_row rows[WR_STEP_COUNT_] = {
#define X(kind, name, about) [WR_STEP_##kind] = {#kind, name, ABOUT_##about},
	WR_STEPS(X)
#undef X
};

/* --- what a step is about ------------------------------------------------------------------------------------------------- */

static void member_mtu(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_key(json, key);
	if (link == NULL || link->mtu == 0)
		wr_json_null(json);
	else
		wr_json_uint(json, link->mtu);
}

static void member_mac(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_key(json, key);
	wr_json_mac(json, link != NULL && link->mac_set ? &link->mac : NULL);
}

static void member_master(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_member_string(json, key, link != NULL && link->master != NULL ? link->master->name : NULL);
}

static void member_place(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_member_string(json, key, link != NULL ? link->ns->name : NULL);
}

static void member_isolated(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_member_bool(json, key, link != NULL && link->isolated);
}

static void member_options(struct wr_json *json, const char *key, const struct wr_link *link)
{
	wr_json_key(json, key);
	wr_json_bridge_options(json, link != NULL ? link->bridge : NULL);
}

/* The attribute that a kind of step changes, for those that change one. */
typedef void (*member_function)(struct wr_json *json, const char *key, const struct wr_link *link);
static const member_function changed_members[WR_STEP_COUNT_] = {
	[WR_STEP_set_mtu] = member_mtu,		  [WR_STEP_set_mac] = member_mac,
	[WR_STEP_set_master] = member_master,	  [WR_STEP_move_port] = member_place,
	[WR_STEP_set_isolated] = member_isolated, [WR_STEP_set_bridge] = member_options,
};

static void about_link(struct wr_json *json, const struct wr_step *step)
{
	member_function member = changed_members[step->kind];

	wr_json_key(json, "bridge");
	wr_json_bridge_of(json, step->link);
	wr_json_key(json, "peer");
	wr_json_link_reference(json, step->link->peer);
	if (member != NULL) {
		member(json, "from", step->old_link);
		member(json, "to", step->link);
	}
}

/* "KEY":"NUMBER", or null for what is not known: settings are strings, whoever keeps them as numbers. */
static void member_setting(struct wr_json *json, const char *key, int value, struct wr_text *scratch)
{
	wr_json_key(json, key);
	if (value == WR_CONF_UNSET) {
		wr_json_null(json);
		return;
	}
	scratch->length = 0;
	if (value < 0)
		wr_text_add_char(scratch, '-');
	wr_text_add_uint(scratch, value < 0 ? -(uint64_t)value : (uint64_t)value);
	wr_json_bytes(json, wr_text_string(scratch), scratch->length);
}

static void about_conf(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	scratch->length = 0;
	wr_words_conf_key(scratch, step);
	wr_json_key(json, "key");
	wr_json_bytes(json, wr_text_string(scratch), scratch->length);
	member_setting(json, "from", step->old_conf, scratch);
	member_setting(json, "to", wr_step_conf_value(step), scratch);
}

static void about_file(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	scratch->length = 0;
	wr_text_add(scratch, WR_WORDS_ETC_NETNS "/");
	wr_text_add(scratch, step->ns->pin);
	wr_text_add_char(scratch, '/');
	wr_text_add(scratch, wr_step_file_name(step));
	wr_json_key(json, "file");
	wr_json_bytes(json, wr_text_string(scratch), scratch->length);
}

/* The transaction as a script for nft, or null where there is none. */
static void member_nft(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	wr_json_key(json, "nft");
	if (step->delta == NULL) {
		wr_json_null(json);
		return;
	}
	scratch->length = 0;
	wr_show_nft_delta(step->delta, scratch);
	wr_json_bytes(json, wr_text_string(scratch), scratch->length);
}

static void about_filter(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	wr_json_member_string(json, "family", wr_nft_family_name(step->table->family));
	wr_json_member_string(json, "table", step->table->name);
	member_nft(json, step, scratch);
}

static void about_borrow(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	const struct wr_borrow *borrow = step->borrow;
	bool borrows = step->kind == WR_STEP_borrow_conf;
	int to = borrows || !wr_borrow_is_returnable(borrow) ? borrow->value : borrow->before;
	char key[80];

	wr_json_member_string(json, "key", wr_conf_key((enum wr_conf_id)borrow->conf, borrow->scope, key));
	member_setting(json, "from", borrows ? borrow->before : borrow->value, scratch);
	member_setting(json, "to", to, scratch);
	member_nft(json, step, scratch);
}

static void about_opening(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	const struct wr_opening *opening = step->opening;

	wr_json_member_string(json, "family", wr_nft_family_name(opening->family));
	wr_json_member_string(json, "table", opening->table);
	wr_json_member_string(json, "chain", opening->chain);
	wr_json_member_string(json, "iif", opening->iif);
	wr_json_member_string(json, "oif", opening->oif);
	member_nft(json, step, scratch);
}

static void add_about(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	switch (rows[step->kind].about) {
	case ABOUT_NS:
		wr_json_member_string(json, "pin", step->ns != NULL ? step->ns->pin : NULL);
		break;
	case ABOUT_LINK:
		about_link(json, step);
		break;
	case ABOUT_ADDRESS:
		wr_json_key(json, "address");
		wr_json_prefix(json, &step->address->prefix);
		break;
	case ABOUT_ROUTE:
		wr_json_key(json, "route");
		wr_json_route(json, step->route);
		if (step->kind == WR_STEP_change_route) {
			wr_json_key(json, "old_route");
			wr_json_route(json, step->old_route);
		}
		break;
	case ABOUT_RULE:
		wr_json_key(json, "rule");
		wr_json_rule(json, step->rule);
		break;
	case ABOUT_NEIGHBOUR:
		wr_json_key(json, "neighbour");
		wr_json_neighbour(json, step->neighbour);
		break;
	case ABOUT_CONF:
		about_conf(json, step, scratch);
		break;
	case ABOUT_SYSCTL:
		wr_json_member_string(json, "key", step->sysctl->key);
		wr_json_member_string(json, "from", step->old_value);
		wr_json_member_string(json, "to", step->sysctl->value);
		break;
	case ABOUT_FILE:
		about_file(json, step, scratch);
		break;
	case ABOUT_FILTER:
		about_filter(json, step, scratch);
		break;
	case ABOUT_BORROW:
		about_borrow(json, step, scratch);
		break;
	case ABOUT_OPENING:
		about_opening(json, step, scratch);
		break;
	}
}

/* --- the documents ------------------------------------------------------------------------------------------------------ */

/* scratch is reused from step to step. */
static void add_step(struct wr_json *json, const struct wr_step *step, struct wr_text *scratch)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "action", wr_step_sign_name((enum wr_step_sign)step->sign));
	wr_json_member_string(json, "kind", rows[step->kind].kind);
	wr_json_member_string(json, "object", rows[step->kind].object);
	wr_json_member_string(json, "namespace", step->ns != NULL ? step->ns->name : WR_HOST_NAME);
	wr_json_key(json, "link");
	wr_json_link_reference(json, step->link);
	add_about(json, step, scratch);
	scratch->length = 0;
	wr_step_words(step, scratch);
	wr_json_key(json, "text");
	wr_json_bytes(json, wr_text_string(scratch), scratch->length);
	wr_json_member_string(json, "reason", step->reason);
	wr_json_member_bool(json, "interrupts", step->interrupts);
	wr_json_member_bool(json, "early", step->early);
	wr_json_end(json, '}');
}

static void begin_document(struct wr_json *json, const char *name)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "warren", name);
	wr_json_member_uint(json, "format", WR_JSON_FORMAT);
}

static void end_document(struct wr_json *json)
{
	wr_json_end(json, '}');
	wr_text_add_char(json->text, '\n');
}

/* "steps" and "summary". */
static void add_steps(struct wr_json *json, const struct wr_plan *plan)
{
	struct wr_step_counts counts = wr_plan_count(plan);
	struct wr_text scratch WR_CLEANUP_TEXT = {0};

	wr_json_key(json, "steps");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < plan->n_steps; i++) {
		wr_json_line(json);
		add_step(json, &plan->steps[i], &scratch);
	}
	wr_json_end(json, ']');
	wr_json_key(json, "summary");
	wr_json_begin(json, '{');
	wr_json_member_uint(json, "add", counts.add);
	wr_json_member_uint(json, "change", counts.change);
	wr_json_member_uint(json, "remove", counts.remove);
	wr_json_member_uint(json, "interruptions", counts.interruptions);
	wr_json_end(json, '}');
	if (wr_text_error(&scratch) != 0)
		json->text->error = wr_text_error(&scratch);
}

void wr_show_plan_json(const struct wr_plan *plan, struct wr_text *text)
{
	struct wr_json json = {.text = text};

	begin_document(&json, "plan");
	wr_json_member_string(&json, "network", plan->wanted->name);
	wr_json_member_string(&json, "source", plan->wanted->source);
	add_steps(&json, plan);
	end_document(&json);
}

void wr_show_status_json(const char *network, const char *source, const struct wr_plan *plan, struct wr_text *text)
{
	struct wr_json json = {.text = text};

	begin_document(&json, "status");
	wr_json_member_string(&json, "network", network);
	wr_json_member_string(&json, "source", source);
	wr_json_member_bool(&json, "as_wanted", plan->n_steps == 0);
	wr_json_member_uint(&json, "differences", plan->n_steps);
	add_steps(&json, plan);
	wr_json_key(&json, "wanted");
	wr_json_model(&json, plan->wanted);
	end_document(&json);
}

static const char *pin_state(const struct wr_pin_entry *pin)
{
	if (pin->stale)
		return "stale";
	return pin->unreadable != NULL ? "unreadable" : "namespace";
}

void wr_show_pins_json(const struct wr_pin_entry *pins, size_t count, struct wr_text *text)
{
	struct wr_json json = {.text = text};

	begin_document(&json, "ls");
	wr_json_key(&json, "namespaces");
	wr_json_begin(&json, '[');
	for (size_t i = 0; i < count; i++) {
		wr_json_line(&json);
		wr_json_begin(&json, '{');
		wr_json_member_string(&json, "pin", pins[i].pin);
		wr_json_member_string(&json, "network", pins[i].network);
		wr_json_member_string(&json, "namespace", pins[i].name);
		wr_json_member_string(&json, "state", pin_state(&pins[i]));
		wr_json_member_string(&json, "problem", pins[i].unreadable);
		wr_json_end(&json, '}');
	}
	wr_json_end(&json, ']');
	end_document(&json);
}
