/* read_firewall.c: `firewall:` of a namespace: for each hook a policy and what goes before it. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/reader.h"

/* One hook while it is read. */
struct hook {
	struct wr_firewall *firewall;
	struct wr_phrase *phrases[2]; /* of deny, of accept */
	size_t n_phrases[2];
	struct wr_place accept_place;
	bool policy_written;
};

static void read_policy(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	static const char *const usual[] = {"drop", "accept", NULL};
	static const char *const drops[] = {"deny", "reject", "block"};
	struct hook *hook = object;
	const char *text = wr_nf_text(r, entry->value, entry), *hint = NULL;

	hook->policy_written = true;
	if (!text)
		return;
	hook->firewall->drop = !strcmp(text, "drop");
	if (hook->firewall->drop || !strcmp(text, "accept"))
		return;
	for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++)
		if (!strcmp(text, drops[i]))
			hint = "did you mean 'drop'?";
	if (!strcmp(text, "allow"))
		hint = "did you mean 'accept'?";
	wr_diagnose(r->diagnostics, wr_nf_place(entry->value), hint ? hint : wr_nf_suggest(r, text, usual),
		    "%s must be drop or accept, not '%s'", wr_nf_subject(r, entry), text);
}

static void read_phrases(struct wr_nf_reader *r, struct hook *hook, const struct wr_nf_entry *entry, bool deny)
{
	size_t count = wr_nf_item_count(entry->value);
	struct wr_phrase *phrases;

	if (entry->value->kind == WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "for example [tcp 80 443, udp 53, icmp]",
			    "%s must be a list of phrases, not a mapping", wr_nf_subject(r, entry));
		return;
	}
	if (!wr_nf_count(r, entry->value, count))
		return;
	phrases = hook->phrases[!deny] = wr_nf_alloc(r, count * sizeof *phrases);
	if (!phrases)
		return;
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item && !r->stop && !r->out_of_memory;
	     item = wr_nf_next_item(entry->value, item)) {
		struct wr_phrase phrase = {.deny = deny};

		if (wr_nf_phrase(r, item, entry, &phrase))
			phrases[hook->n_phrases[!deny]++] = phrase;
	}
}

static void read_accept(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct hook *hook = object;

	if (wr_nf_item_count(entry->value))
		hook->accept_place = wr_nf_place(entry->key);
	read_phrases(r, hook, entry, false);
}

static void read_deny(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_phrases(r, object, entry, true);
}

static void read_log(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	wr_nf_boolean(r, entry, &((struct hook *)object)->firewall->log);
}

static const struct wr_nf_key hook_keys[] = {
	{"policy", read_policy}, {"accept", read_accept}, {"deny", read_deny}, {"log", read_log}, {0},
};

static void read_hook(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry, enum wr_firewall_hook id)
{
	struct wr_ns *ns = object;
	struct wr_firewall *firewall = &ns->firewall[id];
	struct wr_nf_context context = {entry->key->text, NULL, entry->context};
	struct hook hook = {.firewall = firewall};

	firewall->on = true;
	firewall->place = wr_nf_place(entry->key);
	if (!wr_nf_read_mapping(r, entry->value, hook_keys, &hook, &context))
		return;
	/* Without a policy everything passes, which is hardly what somebody means who says what may. */
	if (hook.accept_place.line && !hook.policy_written)
		wr_diagnose(r->diagnostics, hook.accept_place, "write policy: drop, or policy: accept",
			    "'accept' of %s needs a policy for all else", wr_nf_where(r, &context));
	firewall->n_phrases = hook.n_phrases[0] + hook.n_phrases[1];
	firewall->phrases = wr_nf_alloc(r, firewall->n_phrases * sizeof *firewall->phrases);
	if (!firewall->phrases)
		return;
	for (size_t i = 0; i < firewall->n_phrases; i++)
		firewall->phrases[i] =
			i < hook.n_phrases[0] ? hook.phrases[0][i] : hook.phrases[1][i - hook.n_phrases[0]];
}

static void read_input(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_hook(r, object, entry, WR_FIREWALL_INPUT);
}

static void read_output(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_hook(r, object, entry, WR_FIREWALL_OUTPUT);
}

static void read_forward(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_hook(r, object, entry, WR_FIREWALL_FORWARD);
}

static const struct wr_nf_key firewall_keys[] = {
	{"input", read_input},
	{"output", read_output},
	{"forward", read_forward},
	{0},
};

void wr_nf_read_firewall(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_context context = {"firewall", NULL, entry->context};
	struct wr_ns *ns = ((struct wr_nf_ns *)object)->ns;
	bool any = false;

	ns->firewall = wr_nf_alloc(r, WR_FIREWALL_HOOKS_ * sizeof *ns->firewall);
	if (!ns->firewall)
		return;
	wr_nf_read_mapping(r, entry->value, firewall_keys, ns, &context);
	for (int id = 0; id < WR_FIREWALL_HOOKS_; id++)
		any |= ns->firewall[id].on;
	if (!any)
		ns->firewall = NULL;
}
