/* text.c: times, durations, decimals and ids: what is read prints, and what
 * was printed reads back as the same. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	txw_str s = {(const char *)data, size};
	char text[ID_TEXT_MAX > DURATION_TEXT_MAX ? ID_TEXT_MAX : DURATION_TEXT_MAX];
	txw_time t, t2;
	int64_t d, d2, i;
	txw_id id, id2;
	if (time_parse(s, &t)) {
		size_t n = time_print(text, t);
		MUST(time_parse((txw_str){text, n}, &t2) && t2 == t);
	}
	if (duration_parse(s, &d)) {
		size_t n = duration_print(text, d);
		MUST(duration_parse((txw_str){text, n}, &d2) && d2 == d);
	}
	if (id_parse(s, "tx", &id)) {
		size_t n = id_print(text, "tx", id);
		MUST(str_eq(s, (txw_str){text, n}));
		MUST(id_parse((txw_str){text, n}, "tx", &id2) && id_eq(id, id2));
	}
	(void)str_int(s, &i);
	(void)decimal_valid(s);
	return 0;
}
