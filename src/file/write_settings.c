/* write_settings.c: `sysctl:` of the long form: the settings that are not what warren would choose by itself.
 *
 * What it would choose is asked of the same code that chooses it, for a copy of the namespace with nothing set: first for the
 * levels `all` and `default`, then, with these as they are, for the interfaces, which take over from `all`. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "file/write.h"
#include "model/want.h"

void wr_nf_usual_done(struct wr_nf_usual *usual)
{
	free(usual->links);
	free(usual->pointers);
	*usual = (struct wr_nf_usual){0};
}

static int reserve(struct wr_nf_usual *usual, size_t count)
{
	struct wr_link **pointers;
	struct wr_link *links;

	if (count <= usual->capacity)
		return 0;
	links = realloc(usual->links, count * sizeof *links);
	if (links)
		usual->links = links;
	pointers = realloc(usual->pointers, count * sizeof *pointers);
	if (pointers)
		usual->pointers = pointers;
	if (!links || !pointers)
		return -ENOMEM;
	usual->capacity = count;
	return 0;
}

int wr_nf_usual_of(struct wr_nf_usual *usual, const struct wr_ns *ns)
{
	struct wr_model model = {0};
	struct wr_ns copy = *ns, *list[] = {&copy};

	if (reserve(usual, ns->n_links) < 0)
		return -ENOMEM;
	copy.links = usual->pointers;
	for (size_t i = 0; i < ns->n_links; i++) {
		usual->links[i] = *ns->links[i];
		usual->pointers[i] = &usual->links[i];
		wr_conf_clear(&usual->links[i].conf);
	}
	wr_conf_clear(&copy.conf_all);
	wr_conf_clear(&copy.conf_default);
	model.ns = list;
	model.n_ns = 1;
	wr_model_want_conf(&model);
	usual->all = copy.conf_all;
	usual->default_ = copy.conf_default;

	copy.conf_all = ns->conf_all;
	copy.conf_default = ns->conf_default;
	for (size_t i = 0; i < ns->n_links; i++)
		wr_conf_clear(&usual->links[i].conf);
	wr_model_want_conf(&model);
	return 0;
}

/* A mapping under `sysctl:` that begins with its first entry. */
struct list {
	struct wr_text *text;
	const char *indent;
	bool begun;
};

static void begin(struct list *list)
{
	if (!list->begun) {
		wr_text_add(list->text, list->indent);
		wr_text_add(list->text, "sysctl:\n");
	}
	list->begun = true;
	wr_text_add(list->text, list->indent);
	wr_text_add(list->text, "  ");
}

static void add_differences(struct list *list, const struct wr_conf *conf, const struct wr_conf *usual,
			    const char *scope)
{
	char key[80];

	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (conf->value[id] == WR_CONF_UNSET || conf->value[id] == usual->value[id])
			continue;
		begin(list);
		wr_nf_write_scalar(list->text, wr_conf_key(id, scope, key));
		wr_text_addf(list->text, ": %d\n", conf->value[id]);
	}
}

static void add_listed(struct list *list, const struct wr_sysctl *sysctls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		begin(list);
		wr_nf_write_scalar(list->text, sysctls[i].key);
		wr_text_add(list->text, ": ");
		wr_nf_write_scalar(list->text, sysctls[i].value);
		wr_text_add_char(list->text, '\n');
	}
}

void wr_nf_write_ns_sysctls(struct wr_text *text, const struct wr_ns *ns, const struct wr_nf_usual *usual)
{
	struct list list = {.text = text, .indent = "    "};

	add_differences(&list, &ns->conf_all, &usual->all, "all");
	add_differences(&list, &ns->conf_default, &usual->default_, "default");
	add_listed(&list, ns->sysctls, ns->n_sysctls);
}

void wr_nf_write_link_sysctls(struct wr_text *text, const char *indent, const struct wr_link *link,
			      const struct wr_conf *usual)
{
	struct list list = {.text = text, .indent = indent};

	add_differences(&list, &link->conf, usual, link->ifname);
	add_listed(&list, link->sysctls, link->n_sysctls);
}
