/* filter.c: all tables of a network, its table's name, and the notes of what the host had. */
#include "filter/filter.h"

#include <string.h>

#include "base/arena.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"
#include "model/nft.h"

#define NOTE_KEY_LENGTH	 20 /* name, setting */
#define NOTE_DATA_LENGTH 4
#define NOTE_OFFSET	 32768 /* so that the value is a number without sign */

int wr_filter_want(struct wr_model *wanted)
{
	int r = wr_filter_want_host_table(wanted);

	for (size_t i = 0; i < wanted->n_ns && r == 0; i++) {
		r = wr_filter_want_guard_table(wanted->ns[i]);
		if (r == 0)
			r = wr_filter_want_ns_table(wanted->ns[i]);
	}
	return r;
}

/* --- notes --------------------------------------------------------------------------------------------------------------------- */

bool wr_filter_read_before(const struct wr_nft_set *set, const struct wr_nft_element *element, char scope[16],
			   uint8_t *ret_conf, int16_t *ret_value)
{
	uint32_t conf, value;

	if (strcmp(set->name, WR_FILTER_BEFORE) || set->key_length != NOTE_KEY_LENGTH ||
	    set->data_length != NOTE_DATA_LENGTH || !element->key || !element->data)
		return false;
	memcpy(&conf, element->key + 16, sizeof conf);
	memcpy(&value, element->data, sizeof value);
	if (conf >= WR_CONF_COUNT_ || value > UINT16_MAX)
		return false;
	memcpy(scope, element->key, 16);
	scope[15] = '\0';
	*ret_conf = (uint8_t)conf;
	*ret_value = (int16_t)((int32_t)value - NOTE_OFFSET);
	return true;
}

struct wr_nft_element *wr_filter_before(struct wr_arena *arena, const char *scope, uint8_t conf, int16_t value)
{
	struct wr_nft_element *element = wr_arena_new_of(arena, struct wr_nft_element);
	struct wr_key key = {0}, data = {0};

	wr_key_name(&key, scope);
	wr_key_mark(&key, conf);
	wr_key_mark(&data, (uint32_t)(value + NOTE_OFFSET));
	if (!element)
		return NULL;
	element->key = wr_arena_memdup(arena, key.bytes, key.length);
	element->data = wr_arena_memdup(arena, data.bytes, data.length);
	return element->key && element->data ? element : NULL;
}
