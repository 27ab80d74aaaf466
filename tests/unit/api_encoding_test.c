/* api_encoding_test.c: who takes gzip, and that what is packed unpacks. */
#include "unit.h"

#include <string.h>
#include <zlib.h>

#include "api/encoding.h"
#include "api/etag.h"
#include "base/str.h"

static bool takes(const char *accept)
{
	return encoding_takes_gzip(str_of(accept));
}

static void gzip_is_taken_when_it_is_asked_for(void **state)
{
	(void)state;
	static const char *const yes[] = {"gzip",
					  "GZIP",
					  "x-gzip",
					  "deflate, gzip, br",
					  " gzip ;q=0.5 ",
					  "gzip;q=1.000",
					  "gzip;q=0.001",
					  "*",
					  "br, *;q=0.1",
					  "identity;q=0.5, gzip;q=0.5",
					  "identity;q=0, gzip",
					  ",,gzip,"};
	for (size_t i = 0; i < COUNT(yes); i++) {
		if (!takes(yes[i]))
			fail_msg("\"%s\"", yes[i]);
	}
}

static void and_not_when_it_is_not_or_plain_is_liked_better(void **state)
{
	(void)state;
	static const char *const no[] = {"",
					 "br",
					 "identity",
					 "gzip;q=0",
					 "gzip;q=0.000",
					 "gzip; Q=0",
					 "*;q=0",
					 "gzip;q=0, *",
					 "identity, gzip;q=0.5",
					 "identity;q=0.6, *;q=0.5",
					 "gzip2",
					 "gzi",
					 "gzip;q=2",
					 "gzip;q=1.5",
					 "gzip;q=0.5555",
					 "gzip;q=",
					 "gzip;q=-1",
					 ";",
					 ";q=1",
					 ","};
	for (size_t i = 0; i < COUNT(no); i++) {
		if (takes(no[i]))
			fail_msg("\"%s\"", no[i]);
	}
}

static void what_is_packed_is_shorter_and_unpacks_to_the_same(void **state)
{
	(void)state;
	struct buf body = {0};
	for (int i = 0; i < 5000; i++)
		buf_printf(&body, "{\"id\":\"tx_%d\",\"status\":\"pending\"},", i);
	struct buf plain = {0};
	buf_str(&plain, buf_view(&body));
	assert_true(encoding_pack(&body));
	assert_true(body.len < plain.len / 4);
	char *back = malloc(plain.len + 1);
	z_stream z = {.next_in = (Bytef *)body.ptr,
		      .avail_in = (uInt)body.len,
		      .next_out = (Bytef *)back,
		      .avail_out = (uInt)plain.len + 1};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, plain.len);
	assert_memory_equal(back, plain.ptr, plain.len);
	inflateEnd(&z);
	free(back);
	buf_free(&plain);
	buf_free(&body);
}

static void what_does_not_get_shorter_stays(void **state)
{
	(void)state;
	struct buf body = {0};
	uint64_t x = 1;
	for (int i = 0; i < 4096; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		buf_char(&body, (char)(x >> 56));
	}
	char before[4096];
	memcpy(before, body.ptr, 4096);
	assert_false(encoding_pack(&body));
	assert_int_equal(body.len, 4096);
	assert_memory_equal(body.ptr, before, 4096);
	buf_free(&body);
}

static bool names(const char *tag, int64_t want)
{
	int64_t version = 0;
	bool ok = etag_version(str_of(tag), &version);
	return ok && version == want;
}

static void a_tag_names_the_version_it_was_printed_for_and_no_other_text_does(void **state)
{
	(void)state;
	assert_true(names("\"17\"", 17));
	assert_true(names("\"17-gzip\"", 17));
	static const char *const none[] = {
	    "",         "17",        "\"\"",      "\"017\"", "\"0\"",
	    "W/\"17\"", "\"17-gzip", "\"17-br\"", "\"x\"",   "\"17\", \"18\""};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		int64_t version;
		assert_false(etag_version(str_of(none[i]), &version));
	}
}

static void the_tag_of_the_packed_one_is_another(void **state)
{
	(void)state;
	char tag[32] = "\"17\"", none[32] = "", tight[8] = "\"1234\"";
	etag_pack(tag, sizeof(tag));
	assert_string_equal(tag, "\"17-gzip\"");
	etag_pack(none, sizeof(none));
	assert_string_equal(none, "");
	etag_pack(tight, sizeof(tight)); /* no room: left alone */
	assert_string_equal(tight, "\"1234\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gzip_is_taken_when_it_is_asked_for),
	    cmocka_unit_test(and_not_when_it_is_not_or_plain_is_liked_better),
	    cmocka_unit_test(what_is_packed_is_shorter_and_unpacks_to_the_same),
	    cmocka_unit_test(what_does_not_get_shorter_stays),
	    cmocka_unit_test(the_tag_of_the_packed_one_is_another),
	    cmocka_unit_test(a_tag_names_the_version_it_was_printed_for_and_no_other_text_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
